// Where sockets are read into, and what of it is lent.
#include "wire/receive_memory.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "check.h"

namespace ohws {
namespace {

constexpr size_t kMost = ReceiveMemory::kMostReadBytes;
constexpr size_t kLeast = ReceiveMemory::kLeastReadBytes;

using Loan = ReceiveMemory::Loan;

TEST(room_is_what_was_asked_for_and_the_same_again_if_nothing_was_lent) {
  ReceiveMemory memory(true);
  const std::span<uint8_t> first = memory.Room(kMost);
  CHECK_EQ(first.size(), kMost);
  const std::span<uint8_t> second = memory.Room(5000);
  CHECK(second.data() == first.data());
  CHECK_EQ(second.size(), size_t{5000});
}

TEST(what_was_lent_is_not_written_again) {
  ReceiveMemory memory(true);
  std::vector<Payload> blocks;
  std::vector<std::span<const uint8_t>> lent;
  std::vector<uint8_t> fills;
  for (uint8_t fill = 1; fill < 100; ++fill) {
    const std::span<uint8_t> room = memory.Room(kMost);
    std::ranges::fill(room, fill);
    const std::span<const uint8_t> message = room.subspan(8, 1000 * (fill % 60) + 600);
    std::optional<Loan> loan = memory.Lend(message);
    CHECK(loan.has_value());
    if (loan->block.data != nullptr) blocks.push_back(std::move(loan->block));
    CHECK(blocks.back().data.get() + loan->offset == message.data());
    lent.push_back(message);
    fills.push_back(fill);
  }
  CHECK(blocks.size() > 1);
  for (size_t i = 0; i < lent.size(); ++i) {
    CHECK(std::ranges::all_of(lent[i], [&](uint8_t byte) { return byte == fills[i]; }));
  }
}

TEST(a_block_is_given_once) {
  ReceiveMemory memory(true);
  std::span<const uint8_t> room = memory.Room(kMost);
  std::optional<Loan> first = memory.Lend(room.first(1000));
  std::optional<Loan> second = memory.Lend(room.subspan(1100, 1000));
  CHECK(first->block.data != nullptr);
  CHECK_EQ(first->block.size, kMost);
  CHECK(second->block.data == nullptr);
  CHECK_EQ(second->offset, 1100U);
  room = memory.Room(kMost);
  CHECK(memory.Lend(room.first(1000))->block.data == nullptr);
}

TEST(a_read_near_the_end_has_less_room_and_at_the_end_another_block) {
  ReceiveMemory memory(true);
  std::span<const uint8_t> room = memory.Room(kMost);
  const uint8_t* const block = room.data();
  CHECK(memory.Lend(room.first(kMost - kLeast - 64)).has_value());
  room = memory.Room(kMost);
  CHECK(room.size() >= kLeast && room.size() < kMost);
  CHECK(room.data() + room.size() == block + kMost);
  CHECK(memory.Lend(room.first(1000)).has_value());
  // Who asks for less has what is left.
  room = memory.Room(kLeast / 2);
  CHECK_EQ(room.size(), kLeast / 2);
  CHECK(room.data() > block && room.data() < block + kMost);
  room = memory.Room(kMost);
  CHECK_EQ(room.size(), kMost);
  CHECK(memory.Lend(room.first(1000))->block.data != nullptr);
}

TEST(a_short_message_behind_much_else_is_not_lent) {
  ReceiveMemory memory(true);
  const std::span<const uint8_t> room = memory.Room(kMost);
  CHECK(!memory.Lend(room.subspan(100'000, 20'000)).has_value());
  CHECK(memory.Lend(room.subspan(100'000, 40'000)).has_value());
  CHECK(!memory.Lend(room.subspan(150'000, 1000)).has_value());
  // What was not worth it is not lost for the next read.
  CHECK(memory.Room(kMost).data() < room.data() + 141'000);
}

TEST(only_bytes_of_the_last_read_are_lent) {
  ReceiveMemory memory(true);
  const std::vector<uint8_t> elsewhere(1000);
  CHECK(!memory.Lend(elsewhere).has_value());
  const std::span<const uint8_t> first = memory.Room(kMost);
  CHECK(!memory.Lend(elsewhere).has_value());
  CHECK(memory.Lend(first.first(10'000)).has_value());
  memory.Room(kMost);
  CHECK(!memory.Lend(first.first(10'000)).has_value());
}

TEST(nothing_is_lent_where_that_cannot_be) {
  ReceiveMemory memory(false);
  CHECK(!memory.Lend(memory.Room(kMost)).has_value());
}

TEST(a_block_outlives_the_memory) {
  Payload block;
  {
    ReceiveMemory memory(true);
    const std::span<uint8_t> room = memory.Room(kMost);
    std::ranges::fill(room, uint8_t{7});
    block = std::move(memory.Lend(room)->block);
  }
  CHECK(std::ranges::all_of(std::span(block.data.get(), block.size), [](uint8_t byte) { return byte == 7; }));
}

}  // namespace
}  // namespace ohws
