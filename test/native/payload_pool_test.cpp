// The pool of large blocks: what is kept, for whom, and for how long; and payloads over that of the process.
#include "wire/payload_pool.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "check.h"
#include "wire/payload_table.h"

namespace ohws {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

PayloadPool::Block NewBlock(size_t capacity) {
  PayloadPool::Block block;
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory)
  block.data.reset(static_cast<uint8_t*>(std::malloc(capacity)));
  block.capacity = capacity;
  return block;
}

TEST(what_was_given_is_taken_again) {
  PayloadPool pool(8 * kMiB);
  CHECK(pool.Take(kMiB).data == nullptr);
  PayloadPool::Block block = NewBlock(kMiB);
  const uint8_t* const data = block.data.get();
  pool.Give(std::move(block));
  CHECK_EQ(pool.bytes(), kMiB);
  const PayloadPool::Block taken = pool.Take(kMiB - 5);
  CHECK(taken.data.get() == data);
  CHECK_EQ(taken.capacity, kMiB);
  CHECK_EQ(pool.bytes(), size_t{0});
  CHECK(pool.Take(kMiB).data == nullptr);
}

TEST(a_block_is_not_wasted_on_much_less_nor_given_for_more) {
  PayloadPool pool(8 * kMiB);
  CHECK(pool.Take(kMiB).data == nullptr);
  pool.Give(NewBlock(kMiB));
  CHECK(pool.Take(kMiB + 1).data == nullptr);
  CHECK(pool.Take(kMiB / 2).data == nullptr);
  CHECK(pool.Take(kMiB - kMiB / 5).data != nullptr);
}

TEST(small_blocks_are_not_kept) {
  PayloadPool pool(8 * kMiB);
  CHECK(pool.Take(PayloadPool::kLeastBlockBytes - 1).data == nullptr);
  CHECK(!pool.in_use());
  CHECK(pool.Take(PayloadPool::kLeastBlockBytes).data == nullptr);
  CHECK(pool.in_use());
  pool.Give(NewBlock(PayloadPool::kLeastBlockBytes - 1));
  CHECK_EQ(pool.bytes(), size_t{0});
}

TEST(what_is_kept_is_bounded) {
  PayloadPool pool(3 * kMiB);
  CHECK(pool.Take(kMiB).data == nullptr);
  for (int i = 0; i < 5; ++i) pool.Give(NewBlock(kMiB));
  CHECK_EQ(pool.bytes(), 3 * kMiB);
}

TEST(it_is_emptied_when_nobody_has_wanted_anything_between_two_looks) {
  PayloadPool pool(8 * kMiB);
  CHECK(pool.Take(kMiB).data == nullptr);
  pool.Give(NewBlock(kMiB));
  pool.Trim();
  CHECK_EQ(pool.bytes(), kMiB);
  // Wanted, though it does not suit.
  CHECK(pool.Take(3 * kMiB).data == nullptr);
  pool.Trim();
  CHECK_EQ(pool.bytes(), kMiB);
  pool.Trim();
  CHECK_EQ(pool.bytes(), size_t{0});
  CHECK(!pool.in_use());
}

TEST(nothing_is_kept_unless_somebody_looks_when_to_free_it) {
  PayloadPool pool(8 * kMiB);
  pool.Give(NewBlock(kMiB));
  CHECK_EQ(pool.bytes(), size_t{0});
  CHECK(pool.Take(kMiB).data == nullptr);
  pool.Give(NewBlock(kMiB));
  pool.Empty();
  pool.Give(NewBlock(kMiB));
  CHECK_EQ(pool.bytes(), size_t{0});
}

TEST(a_payload_grows_and_shrinks_with_its_bytes_whatever_block_it_has) {
  for (int round = 0; round < 3; ++round) {
    Payload payload = Payload::Allocate(kMiB);
    CHECK_EQ(payload.size, kMiB);
    std::fill_n(payload.data.get(), kMiB, static_cast<uint8_t>(round + 1));
    for (const size_t size : {kMiB + 1, 3 * kMiB, kMiB, kMiB - 100, size_t{1000}}) {
      CHECK(payload.Resize(size));
      CHECK_EQ(payload.size, size);
      CHECK(std::all_of(payload.data.get(), payload.data.get() + std::min(size, size_t{1000}),
                        [round](uint8_t byte) { return byte == round + 1; }));
    }
    Payload other = Payload::Allocate(kMiB - 100);
    CHECK(payload.data != other.data);
    CHECK_EQ(other.size, kMiB - 100);
  }
  PayloadPool::Process().Empty();
}

TEST(a_shared_payload_is_given_back_with_its_last_share) {
  PayloadPool& pool = PayloadPool::Process();
  Payload payload = Payload::Allocate(kMiB);
  const uint8_t* const data = payload.data.get();
  payload.data[5] = 7;
  for (int again = 0; again < 2; ++again) {
    Payload share = payload.Share();
    CHECK(share.data.get() == data && share.size == kMiB);
    payload = {};
    CHECK_EQ(pool.bytes(), size_t{0});
    CHECK_EQ(share.data[5], 7);
    share = {};
    CHECK(pool.bytes() > kMiB);
    // Whoever has it next is its only owner.
    payload = Payload::Allocate(kMiB);
    CHECK(payload.data.get() == data);
  }
  payload = {};
  pool.Empty();
}

}  // namespace
}  // namespace ohws
