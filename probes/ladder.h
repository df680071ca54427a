// The idle ladder: which silence to try next so that the limit of the network path is bracketed,
// and then watched. Bookkeeping without I/O or clock. I/O thread only.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

namespace pgconn::probes {

class IdleLadder {
 public:
  using Silence = std::chrono::milliseconds;

  // `rungs` ascending, at least one.
  explicit IdleLadder(std::vector<Silence> rungs);

  // The silence that a free canary should try, given those that other canaries are trying. Climbs
  // rung by rung while nothing has dropped; halves the bracket once something has; and when the
  // bracket is narrow (a twentieth of its upper end) keeps watch at both of its ends, alternately
  // if there is one canary.
  Silence next(std::span<const Silence> under_way);

  // A connection still answered after that silence.
  void survived(Silence silence);
  // The path had forgotten a connection after that silence. Only for losses that are the path's
  // doing: a restart or an administrator says nothing about it.
  void dropped(Silence silence);

  // The bracket. A limit that moves is noticed: a drop below what once survived, or a survival
  // above what once dropped, opens it again.
  std::optional<Silence> longest_survived() const { return survived_; }
  std::optional<Silence> shortest_dropped() const { return dropped_; }

  // The configured rung a silence belongs to: the first that is not below it, else the last. Keeps
  // label values few while the bracket is halved.
  Silence rung_of(Silence silence) const;

 private:
  std::vector<Silence> rungs_;
  std::optional<Silence> survived_;
  std::optional<Silence> dropped_;
  bool at_upper_end_ = true;  // where a lone canary watched last
};

}  // namespace pgconn::probes
