#include "protocol/rates.h"

#include <algorithm>
#include <cmath>

namespace ohws {
namespace {

constexpr double kMsPerSecond = 1000;

}  // namespace

void TokenBucket::Refill(uint64_t now_ms) {
  if (now_ms <= at_ms_) return;
  tokens_ =
      std::min(tokens_ + static_cast<double>(now_ms - at_ms_) * per_second_ / kMsPerSecond, per_second_);
  at_ms_ = now_ms;
}

bool TokenBucket::HasOne(uint64_t now_ms) { return HasOneAt(now_ms) <= now_ms; }

uint64_t TokenBucket::HasOneAt(uint64_t now_ms) {
  if (endless_) return now_ms;
  Refill(now_ms);
  if (tokens_ >= 1) return now_ms;
  return now_ms + static_cast<uint64_t>(std::ceil((1 - tokens_) * kMsPerSecond / per_second_));
}

bool TokenBucket::IsFull(uint64_t now_ms) {
  if (endless_) return true;
  Refill(now_ms);
  return tokens_ >= per_second_;
}

void RateMeter::Take(bool first, size_t bytes) {
  if (first) messages_.Take(1);
  bytes_.Take(bytes);
}

uint64_t RateMeter::ReadyAt(bool first, uint64_t now_ms) {
  const uint64_t bytes_at = bytes_.HasOneAt(now_ms);
  return first ? std::max(bytes_at, messages_.HasOneAt(now_ms)) : bytes_at;
}

std::shared_ptr<AddressMeter> AddressRates::Of(std::string_view ip, uint64_t now_ms) {
  if (!limit_.any()) return nullptr;
  if (meters_.size() >= sweep_at_) Sweep(now_ms);
  std::shared_ptr<AddressMeter>& meter = meters_[std::string(ip)];
  if (meter == nullptr) meter = std::make_shared<AddressMeter>(limit_, now_ms);
  return meter;
}

void AddressRates::Sweep(uint64_t now_ms) {
  std::erase_if(meters_, [now_ms](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->IsFull(now_ms);
  });
  if (meters_.size() >= kMaxForgotten) {
    std::erase_if(meters_, [](const auto& entry) { return entry.second.use_count() == 1; });
  }
  sweep_at_ = std::max<size_t>(1024, meters_.size() * 2);
}

}  // namespace ohws
