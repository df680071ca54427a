#include "postgres/answer.h"

#include <stdexcept>

namespace pgconn::postgres {

void expect_here(std::span<const Answer> answers) {
  read_answer(answers, [](const Rows& rows) {
    if (rows.only("here") != "1") throw std::invalid_argument("SELECT 1 did not yield 1");
  });
}

}  // namespace pgconn::postgres
