#include "postgres/backoff.h"

#include <random>

namespace pgconn::postgres {

double dice() {
  static thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace pgconn::postgres
