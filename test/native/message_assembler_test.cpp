// Message assembly: one chunk and many, limits at their borders, memory held, and random splits against plain
// concatenation.
#include "protocol/message_assembler.h"

#include <algorithm>

#include "check.h"

#if defined(__SANITIZE_ADDRESS__)
// One test asks for more memory than there is; the sanitizer is to answer as malloc does.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
#endif

namespace ohws {
namespace {

using check::Random;
using Status = MessageAssembler::Status;

const MessageLimits kNoLimits;

const uint8_t* Data(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

FramePiece Piece(std::string_view bytes, bool first, bool last, bool binary = false, uint64_t remaining = 0) {
  FramePiece piece;
  piece.data = Data(bytes);
  piece.size = bytes.size();
  piece.remaining = remaining;
  piece.first = first;
  piece.last = last;
  piece.binary = binary;
  return piece;
}

FramePiece Text(std::string_view bytes) { return Piece(bytes, true, true); }
FramePiece Binary(std::string_view bytes) { return Piece(bytes, true, true, true); }

std::string View(const MessageAssembler& assembler) {
  return std::string(assembler.view().begin(), assembler.view().end());
}

std::string Bytes(const Payload& payload) {
  return std::string(payload.data.get(), payload.data.get() + payload.size);
}

TEST(a_message_in_one_piece_is_not_copied) {
  MessageAssembler assembler(kNoLimits);
  const std::string text = "hello";
  CHECK_EQ(assembler.Feed(Text(text)), Status::kComplete);
  CHECK(assembler.view().data() == Data(text));
  CHECK_EQ(assembler.view().size(), text.size());
  CHECK(!assembler.is_binary());
  CHECK(assembler.ascii_only());
  CHECK(!assembler.buffered());
  CHECK_EQ(assembler.held_bytes(), 0u);
  CHECK_EQ(assembler.Feed(Binary("next")), Status::kComplete);  // Reset() may be left out between messages
  CHECK(assembler.is_binary());
  CHECK(!assembler.ascii_only());
  CHECK_EQ(View(assembler), "next");
}

TEST(empty_messages) {
  MessageAssembler assembler(kNoLimits);
  FramePiece nothing;
  nothing.first = nothing.last = true;
  CHECK_EQ(assembler.Feed(nothing), Status::kComplete);
  CHECK(assembler.view().empty());
  CHECK(assembler.ascii_only());
  const Payload taken = assembler.TakeBuffer();
  CHECK(taken.data == nullptr && taken.size == 0);
  // Empty fragments before and behind the only bytes.
  CHECK_EQ(assembler.Feed(Piece("", true, false)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("", false, false)), Status::kPartial);
  CHECK_EQ(assembler.held_bytes(), 0u);
  const std::string text = "x";
  CHECK_EQ(assembler.Feed(Piece(text, false, true)), Status::kComplete);
  CHECK(assembler.view().data() == Data(text));  // still one chunk of bytes
  CHECK_EQ(assembler.Feed(Piece("ab", true, false)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("", false, true)), Status::kComplete);
  CHECK_EQ(View(assembler), "ab");
}

TEST(fragments_of_a_message_are_counted) {
  MessageLimits limits;
  limits.max_fragments = 3;
  MessageAssembler assembler(limits);
  for (int n = 0; n < 2; ++n) {
    CHECK_EQ(assembler.Feed(Piece("a", true, false)), Status::kPartial);
    // Two chunks of one frame.
    CHECK_EQ(assembler.Feed(Piece("b", false, false, false, 1)), Status::kPartial);
    CHECK_EQ(assembler.Feed(Piece("c", false, false)), Status::kPartial);
    CHECK_EQ(assembler.Feed(Piece("", false, true)), Status::kComplete);
    CHECK_EQ(View(assembler), "abc");
    assembler.Reset();
  }
  CHECK_EQ(assembler.Feed(Piece("a", true, false)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("", false, false)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("", false, false)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("", false, true)), Status::kTooManyFragments);
  CHECK_EQ(assembler.held_bytes(), 0u);
  CHECK_EQ(assembler.Feed(Piece("a", true, true)), Status::kTooManyFragments);
  assembler.Reset();
  CHECK_EQ(assembler.Feed(Text("a")), Status::kComplete);
}

TEST(fragments_become_one_message_of_the_first_ones_kind) {
  MessageAssembler assembler(kNoLimits);
  CHECK_EQ(assembler.Feed(Piece("one ", true, false, true)), Status::kPartial);
  CHECK(assembler.in_message());
  CHECK_EQ(assembler.Feed(Piece("two ", false, false, false)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("three", false, true, false)), Status::kComplete);
  CHECK(!assembler.in_message());
  CHECK(assembler.is_binary());
  CHECK(assembler.buffered());
  CHECK_EQ(View(assembler), "one two three");
}

TEST(taking_hands_over_the_memory) {
  MessageAssembler assembler(kNoLimits);
  CHECK_EQ(assembler.Feed(Piece("one ", true, false, true)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("two", false, true, true)), Status::kComplete);
  const Payload taken = assembler.TakeBuffer();
  CHECK_EQ(Bytes(taken), "one two");
  CHECK(!assembler.buffered());
  CHECK_EQ(assembler.held_bytes(), 0u);
  CHECK(assembler.view().empty());
  CHECK_EQ(assembler.Feed(Text("again")), Status::kComplete);
  const Payload copied = assembler.TakeBuffer();
  CHECK_EQ(Bytes(copied), "again");
}

TEST(reset_frees_and_forgets) {
  MessageAssembler assembler(kNoLimits);
  CHECK_EQ(assembler.Feed(Piece("one ", true, false)), Status::kPartial);
  CHECK(assembler.held_bytes() != 0);
  assembler.Reset();
  CHECK_EQ(assembler.held_bytes(), 0u);
  CHECK(!assembler.in_message());
  CHECK_EQ(assembler.Feed(Text("two")), Status::kComplete);
  CHECK_EQ(View(assembler), "two");
}

TEST(a_new_message_drops_an_unfinished_one) {  // C35, S21
  MessageAssembler assembler(kNoLimits);
  CHECK_EQ(assembler.Feed(Piece("stale \xe2\x82", true, false)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Text("fresh")), Status::kComplete);
  CHECK_EQ(View(assembler), "fresh");
  CHECK(assembler.ascii_only());
  CHECK_EQ(assembler.held_bytes(), 0u);
}

TEST(text_is_judged_across_chunks_and_at_once) {
  MessageAssembler assembler(kNoLimits);
  CHECK_EQ(assembler.Feed(Piece("\xe2\x82", true, false)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("\xac", false, true)), Status::kComplete);
  CHECK(!assembler.ascii_only());
  CHECK_EQ(assembler.Feed(Piece("ok \xed", true, false)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("\xa0", false, false)), Status::kInvalidUtf8);
  CHECK_EQ(assembler.held_bytes(), 0u);
  CHECK_EQ(assembler.Feed(Text("ignored")), Status::kInvalidUtf8);
  CHECK_EQ(assembler.Feed(Piece("", false, true)), Status::kInvalidUtf8);
  assembler.Reset();
  CHECK_EQ(assembler.Feed(Text("\xc0\x80")), Status::kInvalidUtf8);  // server-message-utf8-02
  assembler.Reset();
  CHECK_EQ(assembler.Feed(Text("a\xff"
                               "b")),
           Status::kInvalidUtf8);  // message-utf8-01-d
  assembler.Reset();
  CHECK_EQ(assembler.Feed(Text("open \xe2\x82")), Status::kInvalidUtf8);  // ends inside a character
  assembler.Reset();
  CHECK_EQ(assembler.Feed(Binary("\xff\xfe")), Status::kComplete);
}

TEST(text_that_is_not_judged) {  // C33 of netstack
  MessageLimits limits;
  limits.validate_utf8 = false;
  MessageAssembler assembler(limits);
  CHECK_EQ(assembler.Feed(Text("a\xff"
                               "b")),
           Status::kComplete);
  CHECK(!assembler.ascii_only());
  CHECK_EQ(assembler.Feed(Piece("\xff", true, false)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("plain", false, true)), Status::kComplete);
  CHECK(!assembler.ascii_only());
  CHECK_EQ(View(assembler), "\xffplain");
  CHECK_EQ(assembler.Feed(Text("plain")), Status::kComplete);
  CHECK(assembler.ascii_only());
}

TEST(the_limit_and_one_beyond) {
  MessageLimits limits;
  limits.max_message_bytes = 10;
  MessageAssembler assembler(limits);
  const std::string ten(10, 'x');
  CHECK_EQ(assembler.Feed(Text(ten)), Status::kComplete);
  CHECK_EQ(assembler.Feed(Text(ten + "x")), Status::kTooLarge);
  assembler.Reset();
  CHECK_EQ(assembler.Feed(Piece("12345", true, false)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("67890", false, true)), Status::kComplete);
  CHECK_EQ(assembler.Feed(Piece("12345", true, false)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("678901", false, true)), Status::kTooLarge);
  CHECK_EQ(assembler.held_bytes(), 0u);
}

TEST(the_limit_is_judged_when_the_length_is_announced) {
  MessageLimits limits;
  limits.max_message_bytes = 10;
  MessageAssembler assembler(limits);
  CHECK_EQ(assembler.Feed(Piece("1", true, false, true, 9)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("2", true, false, true, 10)), Status::kTooLarge);
  assembler.Reset();
  CHECK_EQ(assembler.Feed(Piece("123", true, false, true, 0)), Status::kPartial);
  CHECK_EQ(assembler.Feed(Piece("4", false, false, true, 7)), Status::kTooLarge);
  assembler.Reset();
  CHECK_EQ(assembler.Feed(Piece("1", true, false, true, UINT64_MAX)), Status::kTooLarge);
}

TEST(there_is_no_room_in_place_beyond_the_limit) {
  MessageLimits limits;
  limits.max_message_bytes = 1000;
  MessageAssembler assembler(limits);
  CHECK_EQ(assembler.Feed(Piece(std::string(900, 'x'), true, false, true)), Status::kPartial);
  // A frame that has been announced, but of which nothing has come that could be judged.
  CHECK_EQ(assembler.RoomInPlace(101, 1, 500).size(), 0);
  CHECK_EQ(assembler.RoomInPlace(uint64_t{1} << 62, 1, 500).size(), 0);
  CHECK_EQ(assembler.RoomInPlace(100, 1, 500).size(), 100);
  CHECK(assembler.held_bytes() <= 1000);
}

TEST(an_announced_length_is_reserved_once) {
  MessageAssembler assembler(kNoLimits);
  const std::string bytes(100'000, 'b');
  CHECK_EQ(assembler.Feed(Piece(bytes.substr(0, 1000), true, false, true, 99'000)), Status::kPartial);
  CHECK_EQ(assembler.held_bytes(), 100'000u);
  const uint8_t* const at = assembler.view().data();
  for (size_t done = 1000; done < bytes.size(); done += 1000) {
    const bool last = done + 1000 == bytes.size();
    CHECK_EQ(assembler.Feed(Piece(bytes.substr(done, 1000), false, last, true, bytes.size() - done - 1000)),
             last ? Status::kComplete : Status::kPartial);
  }
  CHECK(assembler.view().data() == at);
  const Payload taken = assembler.TakeBuffer();
  CHECK(taken.data.get() == at);
  CHECK_EQ(Bytes(taken), bytes);
}

TEST(a_promise_costs_little) {
  MessageAssembler assembler(kNoLimits);
  CHECK_EQ(assembler.Feed(Piece("x", true, false, true, uint64_t{1} << 62)), Status::kPartial);
  CHECK_EQ(assembler.held_bytes(), 1 + kNoLimits.reserve_ahead_bytes);
  assembler.Reset();
  CHECK_EQ(assembler.Feed(Piece("x", true, false, true, UINT64_MAX)), Status::kPartial);
  CHECK_EQ(assembler.held_bytes(), 1 + kNoLimits.reserve_ahead_bytes);
}

TEST(memory_held_stays_near_what_has_arrived) {
  MessageLimits limits;
  limits.reserve_ahead_bytes = 4096;
  MessageAssembler assembler(limits);
  const std::string piece(1000, 'p');
  uint64_t remaining = uint64_t{1} << 40;
  int growths = 0;
  size_t held = 0;
  for (size_t arrived = 1000; arrived <= 2'000'000; arrived += 1000) {
    remaining -= 1000;
    CHECK_EQ(assembler.Feed(Piece(piece, arrived == 1000, false, true, remaining)), Status::kPartial);
    growths += assembler.held_bytes() != held;
    held = assembler.held_bytes();
    CHECK(held >= arrived && held <= 2 * arrived + limits.reserve_ahead_bytes);
  }
  CHECK(growths < 15);
}

TEST(many_small_fragments_grow_geometrically) {
  MessageLimits limits;
  limits.max_message_bytes = 100'000;
  MessageAssembler assembler(limits);
  const std::string half = "pp";
  int growths = 0;
  size_t held = 0;
  for (int i = 0; i < 25'000; ++i) {  // frames of four bytes in two chunks each
    CHECK_EQ(assembler.Feed(Piece(half, i == 0, false, true, 2)), Status::kPartial);
    CHECK_EQ(assembler.Feed(Piece(half, false, false, true, 0)), Status::kPartial);
    growths += assembler.held_bytes() != held;
    held = assembler.held_bytes();
    CHECK(held <= limits.max_message_bytes);
  }
  CHECK(growths < 40);
  CHECK_EQ(assembler.Feed(Piece("", false, true, true)), Status::kComplete);
  CHECK_EQ(assembler.view().size(), 100'000u);
}

TEST(a_message_that_memory_cannot_hold) {
  MessageLimits limits;
  limits.reserve_ahead_bytes = SIZE_MAX;
  MessageAssembler assembler(limits);
  CHECK_EQ(assembler.Feed(Piece("x", true, false, true, UINT64_MAX / 4)), Status::kTooLarge);
  CHECK_EQ(assembler.held_bytes(), 0u);
}

TEST(it_is_small) { CHECK(sizeof(MessageAssembler) <= 48); }

TEST(random_splits_agree_with_concatenation) {
  Random random(1);
  MessageLimits limits;
  limits.reserve_ahead_bytes = 64;
  MessageAssembler assembler(limits);
  int wrong = 0;
  for (int round = 0; round < 20'000; ++round) {
    const bool binary = random.Below(2) == 0;
    std::string message = random.Bytes(random.Below(600));
    if (!binary) {
      for (char& c : message) c = static_cast<char>(c & 0x7f);
      if (random.Below(2) == 0) message += "\xe2\x82\xac";
    }
    const bool ascii = !binary && message.find('\xe2') == std::string::npos;

    size_t at = 0;
    bool first = true;
    Status status = Status::kPartial;
    while (status == Status::kPartial) {
      // A frame of some size, delivered in chunks.
      const size_t frame_bytes = random.Below(message.size() - at + 1);
      const size_t frame_end = at + frame_bytes;
      const bool fin = frame_end == message.size() && random.Below(2) == 0;
      do {
        const size_t size = std::min(frame_end - at, 1 + random.Below(200));
        const std::string piece = message.substr(at, size);  // its own memory: gone after the call
        at += size;
        const FramePiece chunk = Piece(piece, first, fin && at == frame_end, binary, frame_end - at);
        status = assembler.Feed(chunk);
        first = false;
        if (status == Status::kComplete) {
          wrong += View(assembler) != message || assembler.is_binary() != binary;
          wrong += assembler.ascii_only() != ascii;
          if (random.Below(2) == 0) wrong += Bytes(assembler.TakeBuffer()) != message;
        }
      } while (at < frame_end);
    }
    wrong += status != Status::kComplete;
    if (random.Below(2) == 0) assembler.Reset();
  }
  CHECK_EQ(wrong, 0);
}

}  // namespace
}  // namespace ohws
