// How many connections to one target are open, and for what; never more than it allows. One thread
// only.
#pragma once

#include <map>
#include <string>
#include <utility>

namespace pgconn::postgres {

class Budget {
 public:
  // `limit`: connections open or being opened at the same time.
  explicit Budget(int limit) : limit_(limit) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // A place in the budget, given back when it is destroyed. The budget must outlive it.
  class Place {
   public:
    Place() = default;
    ~Place() { release(); }
    Place(Place&& other) noexcept { *this = std::move(other); }
    Place& operator=(Place&& other) noexcept;

   private:
    friend class Budget;
    Place(Budget& budget, std::string purpose);
    void release() noexcept;
    Budget* budget_ = nullptr;
    std::string purpose_;
  };

  // Throws PgError(kBudget) if none is free.
  Place take(std::string purpose);

  // Connections by purpose; a purpose that was ever used stays, with 0.
  const std::map<std::string, int>& open() const { return open_; }

 private:
  int limit_;
  int used_ = 0;
  std::map<std::string, int> open_;
};

}  // namespace pgconn::postgres
