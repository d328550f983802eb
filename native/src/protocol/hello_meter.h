// What a client announces of a ClientHello (RFC 8446 §4, §5.1), out of the bytes of its records as they come.
// Looked at beside OpenSSL, which takes memory for a whole message as soon as its header has come. Engine
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ohws {

class HelloMeter {
 public:
  // As large as one record, and what BoringSSL takes. Clients send about 2 KiB, a post-quantum key share
  // of 1.2 or 1.6 KiB in it; an encrypted inner hello may double that, and a ticket may hold a client's
  // certificate.
  static constexpr size_t kMostBytes = 16 * 1024;

  enum class Verdict : uint8_t {
    kFits,      // what there was of it, up to now
    kTooLarge,  // for ever
    kOver,      // there is none any more, or not one that could be large
  };

  // The next bytes. `may_ask_again`: it was agreed on TLS 1.3, or nothing yet, where a ChangeCipherSpec says
  // nothing and another hello may follow it.
  Verdict Feed(std::span<const uint8_t> bytes, bool may_ask_again);

 private:
  static constexpr size_t kRecordHeaderBytes = 5;
  static constexpr size_t kMessageHeaderBytes = 4;

  void FeedMessages(std::span<const uint8_t> bytes);

  Verdict verdict_ = Verdict::kFits;
  std::array<uint8_t, kRecordHeaderBytes> record_{};
  std::array<uint8_t, kMessageHeaderBytes> message_{};
  uint8_t record_header_ = 0;   // bytes of it that have come
  uint8_t message_header_ = 0;  // likewise
  size_t record_left_ = 0;
  size_t message_left_ = 0;
};

}  // namespace ohws
