#include "exporter/targets/outage.h"

namespace pgconn::exporter {
namespace {

constexpr std::size_t kMostLines = 4;  // for failures that come and go, per summary interval

}  // namespace

Outage::News Outage::failed(const std::string& how, Clock::time_point now) {
  if (!failing_) {
    ways_.clear();
    if (attempts_ == 0 || now - failed_last_ >= summary_) {
      attempts_ = 0;
      since_ = now;
    }
  }
  failing_ = true;
  failed_last_ = now;
  ++attempts_;
  if (ways_.insert(how).second && may_tell(now)) return tell(News::kFailing, now);
  return now - told_.back() < summary_ ? News::kNone : tell(News::kStillFailing, now);
}

Outage::News Outage::succeeded(Clock::time_point now) {
  failing_ = false;
  return failure_told_ ? tell(News::kOver, now) : News::kNone;
}

bool Outage::may_tell(Clock::time_point now) const {
  return told_.size() < kMostLines || now - told_.front() >= summary_;
}

Outage::News Outage::tell(News news, Clock::time_point now) {
  failure_told_ = news != News::kOver;
  told_.push_back(now);
  if (told_.size() > kMostLines) told_.pop_front();
  return news;
}

}  // namespace pgconn::exporter
