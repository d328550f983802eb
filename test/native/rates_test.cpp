// Rates against a clock of plain numbers.
#include "protocol/rates.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "check.h"

namespace ohws {
namespace {

constexpr uint64_t kStart = 1'000'000;
constexpr uint64_t kNone = UINT64_MAX;

TEST(a_bucket_begins_full_and_holds_one_second) {
  TokenBucket bucket(10, kStart);
  for (int n = 0; n < 10; ++n) {
    CHECK(bucket.HasOne(kStart));
    bucket.Take(1);
  }
  CHECK(!bucket.HasOne(kStart));
  CHECK_EQ(bucket.HasOneAt(kStart), kStart + 100);
  CHECK(!bucket.HasOne(kStart + 99));
  CHECK(bucket.HasOne(kStart + 100));
  // However long nobody came: no more than a second's worth.
  CHECK(bucket.HasOne(kStart + 1'000'000));
  CHECK(bucket.IsFull(kStart + 1'000'000));
  bucket.Take(10);
  CHECK(!bucket.HasOne(kStart + 1'000'000));
}

TEST(what_is_taken_beyond_is_owed) {
  TokenBucket bucket(1000, kStart);
  bucket.Take(5000);
  CHECK_EQ(bucket.HasOneAt(kStart), kStart + 4001);
  CHECK(!bucket.HasOne(kStart + 4000));
  CHECK(bucket.HasOne(kStart + 4001));
  CHECK(!bucket.IsFull(kStart + 4999));
  CHECK(bucket.IsFull(kStart + 5000));
}

TEST(a_clock_that_stands_still_or_goes_back_gives_nothing) {
  TokenBucket bucket(1, kStart);
  bucket.Take(1);
  CHECK(!bucket.HasOne(kStart));
  CHECK(!bucket.HasOne(kStart - 5000));
  CHECK(bucket.HasOne(kStart + 1000));
}

TEST(many_small_looks_lose_nothing) {
  TokenBucket bucket(7, kStart);
  uint64_t taken = 0;
  for (uint64_t ms = 0; ms <= 100'000; ++ms) {
    while (bucket.HasOne(kStart + ms)) {
      bucket.Take(1);
      ++taken;
    }
  }
  // The first second's worth, and one hundred seconds.
  CHECK(taken >= 706 && taken <= 707);
}

TEST(no_limit) {
  TokenBucket bucket(kNone, kStart);
  bucket.Take(UINT64_MAX);
  CHECK(bucket.HasOne(kStart));
  CHECK(bucket.IsFull(kStart));
  CHECK(!RateLimit{}.any());
  CHECK(!RateLimit({kNone, kNone}).any());
  CHECK(RateLimit({1, kNone}).any());
  CHECK(RateLimit({kNone, 1}).any());
}

TEST(messages_count_when_they_begin_and_bytes_as_they_come) {
  RateMeter meter({2, 100}, kStart);
  CHECK(meter.Allows(true, kStart));
  meter.Take(true, 10);
  meter.Take(false, 10);  // its second piece
  CHECK(meter.Allows(true, kStart));
  meter.Take(true, 10);
  // No third message now; but what belongs to the second goes on.
  CHECK(!meter.Allows(true, kStart));
  CHECK(meter.Allows(false, kStart));
  CHECK_EQ(meter.ReadyAt(true, kStart), kStart + 500);
  meter.Take(false, 170);
  CHECK(!meter.Allows(false, kStart));
  CHECK_EQ(meter.ReadyAt(false, kStart), kStart + 1010);
  CHECK_EQ(meter.ReadyAt(true, kStart), kStart + 1010);
}

TEST(an_address_is_remembered_until_its_buckets_are_full) {
  AddressRates rates({10, kNone});
  std::shared_ptr<AddressMeter> first = rates.Of("10.0.0.1", kStart);
  CHECK(first == rates.Of("10.0.0.1", kStart));
  CHECK(first != rates.Of("10.0.0.2", kStart));
  for (int n = 0; n < 10; ++n) first->Take(true, 0);
  first.reset();
  CHECK(!rates.Of("10.0.0.1", kStart)->TryTake(true, 0, kStart));
  for (int n = 0; n < 3000; ++n) rates.Of("host " + std::to_string(n), kStart);
  CHECK(rates.size() < 2100);
  CHECK(!rates.Of("10.0.0.1", kStart)->TryTake(true, 0, kStart));
  for (int n = 0; n < 3000; ++n) rates.Of("host " + std::to_string(n), kStart + 1000);
  CHECK(rates.Of("10.0.0.1", kStart + 1000)->TryTake(true, 0, kStart + 1000));
}

TEST(threads_that_share_an_address_take_no_more_than_there_is) {
  AddressMeter meter({100, kNone}, kStart);
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([&] {
      for (int tries = 0; tries < 1000; ++tries) taken += meter.TryTake(true, 1, kStart) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(taken.load(), 100);
}

TEST(addresses_with_connections_are_never_forgotten) {
  AddressRates rates({1, kNone});
  std::vector<std::shared_ptr<AddressMeter>> connected;
  for (int n = 0; n < 5000; ++n) {
    connected.push_back(rates.Of("host " + std::to_string(n), kStart));
    connected.back()->Take(true, 0);
  }
  for (int n = 0; n < 200'000; ++n) rates.Of("other " + std::to_string(n), kStart)->Take(true, 0);
  CHECK(rates.size() <= 2 * (AddressRates::kMaxForgotten + 5000));
  for (int n = 0; n < 5000; ++n) {
    CHECK(connected[static_cast<size_t>(n)] == rates.Of("host " + std::to_string(n), kStart));
  }
}

TEST(without_a_limit_nobody_is_remembered) {
  AddressRates rates({});
  CHECK(rates.Of("10.0.0.1", kStart) == nullptr);
  CHECK_EQ(rates.size(), size_t{0});
}

}  // namespace
}  // namespace ohws
