#include "postgres/backoff.h"

#include <random>

namespace pgconn::postgres {
namespace {

std::minstd_rand& generator() {
  static thread_local std::minstd_rand generator(std::random_device{}());
  return generator;
}

}  // namespace

double dice() { return std::uniform_real_distribution<double>(0, 1)(generator()); }

void seed_dice(unsigned seed) { generator().seed(seed); }

}  // namespace pgconn::postgres
