#include "postgres/answer.h"

#include <stdexcept>

namespace pgconn::postgres {

Query ping(const Peer& peer) { return {std::string(peer.ping.sql), ""}; }

void expect_here(const Peer& peer, std::span<const Answer> answers) {
  const Ping& ping = peer.ping;
  const auto read = [&ping](const Rows& rows) {
    if (!text_or(rows.only(ping.column), "").starts_with(ping.answer)) {
      throw std::invalid_argument(std::string(ping.sql) + " did not yield " +
                                  std::string(ping.answer));
    }
  };
  read_answer(answers, read, peer.product);
}

}  // namespace pgconn::postgres
