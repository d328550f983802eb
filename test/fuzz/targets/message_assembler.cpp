// Any sequence of frames, in any pieces, copied or received in place: the message is the bytes of its frames,
// the limits hold, and what is held is bounded by what has come.
#include "protocol/message_assembler.h"

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

using Status = MessageAssembler::Status;

// What is to be said of a message that is so far `text` and of which so much more is announced.
Status Judge(const MessageLimits& limits, const std::string& text, uint64_t remaining, size_t frames,
             bool binary, bool last) {
  if (limits.max_message_bytes != 0 &&
      (remaining > limits.max_message_bytes || text.size() > limits.max_message_bytes - remaining))
    return Status::kTooLarge;
  if (limits.max_fragments != 0 && frames >= limits.max_fragments) return Status::kTooManyFragments;
  const Utf8Result result = CheckUtf8(text);
  const bool bad = result == Utf8Result::kInvalid || (last && result == Utf8Result::kIncomplete);
  if (!binary && limits.validate_utf8 && bad) return Status::kInvalidUtf8;
  return last ? Status::kComplete : Status::kPartial;
}

}  // namespace

void FuzzOne(Input input) {
  MessageLimits limits;
  const uint8_t bits = input.Byte();
  if ((bits & 1) != 0) limits.max_message_bytes = 1 + input.Below(600);
  if ((bits & 2) != 0) limits.max_fragments = 1 + input.Below(6);
  if ((bits & 4) != 0) limits.reserve_ahead_bytes = input.Below(300);
  limits.validate_utf8 = (bits & 8) == 0;
  MessageAssembler assembler(limits);

  std::string message;
  size_t frames = 0;  // whole ones of the message
  bool in_message = false;
  bool binary = false;
  Status status = Status::kComplete;
  while (!input.empty()) {
    // A frame.
    const uint8_t shape = input.Byte();
    const bool first = !in_message || (shape & 1) != 0;  // a new message may cut an old one short
    const bool fin = (shape & 2) != 0;
    const bool masked = (shape & 4) != 0;
    const bool in_place = (shape & 8) != 0;
    if (first) {
      message.clear();
      frames = 0;
      binary = (shape & 16) != 0;
      if (status != Status::kPartial) assembler.Reset();
    }
    in_message = !fin;
    uint64_t announced = input.Byte();
    if ((shape & 32) != 0) announced = input.Long() >> 1;
    uint8_t key[kMaskKeyBytes] = {shape, 1, 2, 3};
    bool begins = true;
    do {
      // A piece of it.
      std::string bytes =
          input.Take(static_cast<size_t>(std::min<uint64_t>(announced, 1 + (shape >> 5) * 20U)));
      const uint64_t before = announced;
      announced -= bytes.size();
      const bool ended = input.empty() && announced != 0;  // the frame is never complete
      message += bytes;
      if (masked) {
        for (size_t i = 0; i < bytes.size(); ++i)
          bytes[i] = static_cast<char>(bytes[i] ^ key[i % kMaskKeyBytes]);
      }
      const std::vector<uint8_t> copy(bytes.begin(), bytes.end());
      FramePiece piece;
      piece.data = copy.data();
      piece.size = copy.size();
      piece.remaining = announced;
      piece.first = first && begins;
      piece.last = fin && announced == 0;
      piece.binary = binary;
      piece.masked = masked;
      std::copy_n(key, kMaskKeyBytes, piece.key);
      if (in_place && !piece.first && status == Status::kPartial) {
        const std::span<uint8_t> room = assembler.RoomInPlace(before, 1, 64);
        REQUIRE(room.size() <= 64 && room.size() <= before);
        if (room.size() >= bytes.size() && !bytes.empty()) {
          std::copy(copy.begin(), copy.end(), room.begin());
          piece.data = room.data();
        }
      }
      const Status expected = piece.first || status == Status::kPartial
                                  ? Judge(limits, message, announced, frames, binary, piece.last)
                                  : status;
      begins = false;
      status = assembler.Feed(piece);
      REQUIRE(status == expected);
      const bool failed = status != Status::kPartial && status != Status::kComplete;
      if (announced == 0) ++frames;
      REQUIRE(!failed || assembler.held_bytes() == 0);
      REQUIRE(assembler.held_bytes() <= 2 * (message.size() + 64) + limits.reserve_ahead_bytes);
      REQUIRE(limits.max_message_bytes == 0 || assembler.held_bytes() <= limits.max_message_bytes);
      REQUIRE(assembler.in_message() == (status == Status::kPartial));
      if (status == Status::kComplete) {
        const std::span<const uint8_t> view = assembler.view();
        REQUIRE(std::equal(view.begin(), view.end(), message.begin(), message.end(),
                           [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); }));
        REQUIRE(assembler.is_binary() == binary);
        REQUIRE(assembler.ascii_only() == (!binary && CheckUtf8(message) == Utf8Result::kAscii));
        REQUIRE(assembler.buffered() == (assembler.held_bytes() != 0));
        const Payload taken = assembler.TakeBuffer();
        REQUIRE(taken.size == message.size() && (taken.data != nullptr || taken.size == 0));
        REQUIRE(taken.size == 0 || std::memcmp(taken.data.get(), message.data(), taken.size) == 0);
        REQUIRE(assembler.held_bytes() == 0 && !assembler.in_message());
      }
      if (ended) return;
      if (failed) {  // said again until it is forgotten
        REQUIRE(assembler.Feed(piece) == status);
        in_message = false;
        break;
      }
    } while (announced != 0);
  }
}

}  // namespace ohws::fuzz
