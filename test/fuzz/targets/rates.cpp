// Any sequence of pieces, time and connections that come and go: what may be taken, and when, is what a count
// in whole numbers says; nobody gains by coming anew; and addresses without a connection are forgotten.
#include "protocol/rates.h"

#include <map>

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

constexpr uint64_t kEndless = UINT64_MAX;
// Whatever is owed is paid back in this time.
constexpr uint64_t kLongMs = 1'000'000'000'000;

// In thousandths of a token, which are exact.
class Bucket {
 public:
  Bucket(uint64_t per_second, uint64_t now_ms) : per_second_(per_second), at_ms_(now_ms) { tokens_ = Most(); }

  void Take(uint64_t count) { tokens_ -= static_cast<int64_t>(count * 1000); }
  // How long until there is one.
  uint64_t Wait(uint64_t now_ms) {
    if (per_second_ == kEndless) return 0;
    Refill(now_ms);
    if (tokens_ >= 1000) return 0;
    const auto missing = static_cast<uint64_t>(1000 - tokens_);
    return (missing + per_second_ - 1) / per_second_;
  }
  bool IsFull(uint64_t now_ms) {
    if (per_second_ == kEndless) return true;
    Refill(now_ms);
    return tokens_ >= Most();
  }

 private:
  int64_t Most() const { return static_cast<int64_t>(per_second_ == kEndless ? 0 : per_second_ * 1000); }
  void Refill(uint64_t now_ms) {
    const uint64_t missing = static_cast<uint64_t>(Most() - tokens_);
    const uint64_t passed = now_ms - at_ms_;
    tokens_ = passed > missing / per_second_ ? Most() : tokens_ + static_cast<int64_t>(passed * per_second_);
    at_ms_ = now_ms;
  }

  uint64_t per_second_;
  uint64_t at_ms_;
  int64_t tokens_;
};

// The meter counts in binary fractions: where the exact moment is a whole millisecond, it may say the one
// before or after.
bool IsAbout(uint64_t wait_ms, uint64_t exact_ms) {
  return wait_ms + 1 >= exact_ms && wait_ms <= exact_ms + 1;
}

struct Client {
  std::shared_ptr<AddressMeter> meter;  // null without a connection
  Bucket messages;
  Bucket bytes;
};

uint64_t ReadRate(Input& input) {
  const uint8_t kind = input.Byte();
  return kind % 4 == 0 ? kEndless : kind % 4 == 1 ? 1 + input.Byte() : 1 + uint64_t{input.Short()} * 1000;
}

std::string AddressOf(size_t number) { return "2001:db8::" + std::to_string(number); }

}  // namespace

void FuzzOne(Input input) {
  RateLimit limit;
  limit.messages_per_second = ReadRate(input);
  limit.bytes_per_second = ReadRate(input);
  uint64_t now_ms = 1 + input.Short();
  AddressRates rates(limit);
  REQUIRE(limit.any() == (rates.Of(AddressOf(0), now_ms) != nullptr));
  if (!limit.any()) return;

  std::map<size_t, Client> clients;
  size_t passers = 1000;  // addresses that come once
  bool forgets = false;   // too many have come to know all of them
  while (!input.empty()) {
    const uint8_t step = input.Byte();
    const size_t who = step / 8 % 4;
    const auto found = clients.find(who);
    switch (step % 8) {
      case 0:  // a connection, or one more
        if (found == clients.end()) {
          if (forgets) break;
          clients.insert({who,
                          {rates.Of(AddressOf(who), now_ms), Bucket(limit.messages_per_second, now_ms),
                           Bucket(limit.bytes_per_second, now_ms)}});
        } else if (found->second.meter != nullptr) {
          REQUIRE(rates.Of(AddressOf(who), now_ms) == found->second.meter);
        } else {
          found->second.meter = rates.Of(AddressOf(who), now_ms);
        }
        break;
      case 1:  // the last one goes
        if (found == clients.end()) break;
        found->second.meter.reset();
        if (forgets) clients.erase(found);
        break;
      case 2:
        now_ms += input.Short();
        break;
      case 3: {  // many that come once and take something
        if (who != 3) break;
        size_t count = size_t{64} * input.Byte();
        for (; count > 0 && passers < 80'000; --count) {
          REQUIRE(rates.Of(AddressOf(passers++), now_ms)->TryTake(true, 1, now_ms));
          if (rates.size() < AddressRates::kMaxForgotten || forgets) continue;
          forgets = true;
          std::erase_if(clients, [](const auto& client) { return client.second.meter == nullptr; });
        }
        break;
      }
      default: {
        if (found == clients.end() || found->second.meter == nullptr) break;
        Client& client = found->second;
        const bool first = step % 2 == 0;
        const uint64_t messages_wait = client.messages.Wait(now_ms);
        const uint64_t bytes_wait = client.bytes.Wait(now_ms);
        const uint64_t wait = first ? std::max(messages_wait, bytes_wait) : bytes_wait;
        const uint64_t ready_at = client.meter->ReadyAt(first, now_ms);
        REQUIRE(ready_at >= now_ms && IsAbout(ready_at - now_ms, wait));
        const size_t bytes = input.Short();
        if (ready_at == now_ms) {
          REQUIRE(client.meter->TryTake(first, bytes, now_ms));
        } else if (step % 8 == 4) {  // the rest of what has begun
          client.meter->Take(first, bytes);
        } else {
          REQUIRE(!client.meter->IsFull(now_ms) && !client.meter->TryTake(first, bytes, now_ms));
          if (step % 8 < 6) break;
          now_ms = ready_at;
          if (!client.meter->TryTake(first, bytes, now_ms)) {
            REQUIRE(client.meter->TryTake(first, bytes, ++now_ms));
          }
        }
        client.messages.Wait(now_ms);
        client.bytes.Wait(now_ms);
        if (first) client.messages.Take(1);
        client.bytes.Take(bytes);
        break;
      }
    }
    // What is swept at, doubled, until it is swept at again.
    REQUIRE(rates.size() <= 2 * (AddressRates::kMaxForgotten + 4));
  }

  // Those who have gone are swept out as soon as they have nothing to gain any more.
  for (auto& [who, client] : clients) {
    const bool full = client.messages.IsFull(now_ms + kLongMs) && client.bytes.IsFull(now_ms + kLongMs);
    REQUIRE(full);
    if (client.meter != nullptr) REQUIRE(client.meter->IsFull(now_ms + kLongMs));
  }
  if (passers == 1000) return;
  clients.clear();
  now_ms += kLongMs;
  const size_t before = rates.size();
  for (size_t n = 0; n <= std::max<size_t>(1024, 2 * before); ++n) rates.Of(AddressOf(200'000 + n), now_ms);
  REQUIRE(rates.size() <= std::max<size_t>(1024, 2 * before) + 1);
}

}  // namespace ohws::fuzz
