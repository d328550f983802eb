// Records, and the messages in those that hold some. Engine thread.
#include "protocol/hello_meter.h"

#include <algorithm>

namespace ohws {
namespace {

constexpr uint8_t kChangeCipherSpec = 20;
constexpr uint8_t kHandshake = 22;
constexpr uint8_t kClientHello = 1;
constexpr uint8_t kSslv2 = 0x80;  // a hello of SSL 2.0's form, of one record

// Moves from the front of `bytes` to the header what it lacks. True: it is complete, and the next byte begins
// it anew.
template <size_t kSize>
bool TakeHeader(std::span<const uint8_t>& bytes, std::array<uint8_t, kSize>& header, uint8_t& here) {
  while (!bytes.empty() && here < kSize) {
    header[here++] = bytes.front();
    bytes = bytes.subspan(1);
  }
  if (here < kSize) return false;
  here = 0;
  return true;
}

// Likewise what is left of something.
std::span<const uint8_t> Take(std::span<const uint8_t>& bytes, size_t& left) {
  const std::span<const uint8_t> taken = bytes.first(std::min(bytes.size(), left));
  bytes = bytes.subspan(taken.size());
  left -= taken.size();
  return taken;
}

}  // namespace

HelloMeter::Verdict HelloMeter::Feed(std::span<const uint8_t> bytes, bool may_ask_again) {
  while (verdict_ == Verdict::kFits && !bytes.empty()) {
    if (record_left_ != 0) {
      const std::span<const uint8_t> content = Take(bytes, record_left_);
      if (record_[0] == kHandshake) FeedMessages(content);
      continue;
    }
    if (!TakeHeader(bytes, record_, record_header_)) break;
    record_left_ = size_t{record_[3]} << 8 | record_[4];
    // Behind it messages are encrypted, in records that look the same.
    const bool ciphers = record_[0] == kChangeCipherSpec && !may_ask_again;
    if (ciphers || (record_[0] & kSslv2) != 0) verdict_ = Verdict::kOver;
  }
  return verdict_;
}

void HelloMeter::FeedMessages(std::span<const uint8_t> bytes) {
  while (verdict_ == Verdict::kFits && !bytes.empty()) {
    if (message_left_ != 0) {
      Take(bytes, message_left_);
      continue;
    }
    if (!TakeHeader(bytes, message_, message_header_)) return;
    message_left_ = size_t{message_[1]} << 16 | size_t{message_[2]} << 8 | message_[3];
    if (message_[0] == kClientHello && message_left_ > kMostBytes) verdict_ = Verdict::kTooLarge;
  }
}

}  // namespace ohws
