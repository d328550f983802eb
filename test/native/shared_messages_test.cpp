// Messages for many: the frames, who shares them, and what a session with context gets.
#include "protocol/shared_messages.h"

#include <string>

#include "check.h"

namespace ohws {
namespace {

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string Text(std::span<const uint8_t> bytes) { return std::string(bytes.begin(), bytes.end()); }

std::string Frame(std::string_view payload, uint8_t first) {
  std::string frame(kMaxFrameHeaderBytes, '\0');
  auto* const at = reinterpret_cast<uint8_t*>(frame.data());
  frame.resize(WriteFrameHeader(at, Opcode::kText, true, payload.size(), nullptr));
  frame[0] = static_cast<char>(first);
  return frame.append(payload);
}

std::unique_ptr<DeflateSession> Session(DeflateWorkspace& workspace, bool keeps_context, uint8_t bits = 15,
                                        size_t threshold = 0) {
  DeflateParameters agreed;
  agreed.server_max_window_bits = bits;
  agreed.client_max_window_bits = 15;
  agreed.server_no_context_takeover = !keeps_context;
  agreed.client_no_context_takeover = true;
  DeflateOptions options;
  options.threshold_bytes = threshold;
  return std::make_unique<DeflateSession>(
      Role::kServer, options, agreed,
      DeflateReservation::Of(workspace.budget(), Decompressor::MaxBytes(kMaxWindowBits)), workspace);
}

TEST(frames_are_those_of_the_messages_one_behind_the_other) {
  SharedMessages messages;
  CHECK(messages.empty());
  const std::string large(70'000, 'x');
  messages.Add(Opcode::kText, Bytes("one"));
  messages.Add(Opcode::kBinary, Bytes(""));
  messages.Add(Opcode::kText, Bytes(large));
  CHECK_EQ(messages.count(), size_t{3});
  const SharedFrames frames = messages.FramesFor(nullptr);
  CHECK_EQ(Text(frames.bytes), Frame("one", 0x81) + Frame("", 0x82) + Frame(large, 0x81));
  CHECK_EQ(frames.inflated, uint64_t{0});
}

TEST(those_without_compression_share_their_frames) {
  SharedMessages messages;
  messages.Add(Opcode::kText, Bytes("one"));
  const SharedFrames first = messages.FramesFor(nullptr);
  CHECK(first.owner == messages.FramesFor(nullptr).owner);
  // They outlive the messages.
  messages.Clear();
  CHECK(messages.empty());
  messages.Add(Opcode::kText, Bytes("two"));
  CHECK_EQ(Text(first.bytes), Frame("one", 0x81));
  CHECK_EQ(Text(messages.FramesFor(nullptr).bytes), Frame("two", 0x81));
}

TEST(those_that_keep_no_context_and_agree_on_the_same_share_their_frames) {
  DeflateBudget budget(size_t{64} << 20);
  DeflateWorkspace workspace(budget);
  const auto a = Session(workspace, false);
  const auto b = Session(workspace, false);
  const auto small_window = Session(workspace, false, 9);
  const auto high_threshold = Session(workspace, false, 15, 1000);
  SharedMessages messages;
  const std::string text(500, 'x');
  messages.Add(Opcode::kText, Bytes(text));
  messages.Add(Opcode::kText, Bytes(""));
  const SharedFrames frames = messages.FramesFor(a.get());
  CHECK(frames.owner == messages.FramesFor(b.get()).owner);
  CHECK(frames.owner != messages.FramesFor(small_window.get()).owner);
  CHECK(frames.owner != messages.FramesFor(nullptr).owner);
  CHECK_EQ(frames.bytes[0], 0xc1);  // RSV1
  CHECK(frames.bytes.size() < 50);
  CHECK_EQ(frames.inflated, uint64_t{500});
  CHECK_EQ(frames.deflated, uint64_t{frames.bytes.size() - 2 - 2});
  // An empty message stays as it is, and so does what is below the threshold.
  CHECK_EQ(Text(frames.bytes.last(2)), Frame("", 0x81));
  CHECK_EQ(Text(messages.FramesFor(high_threshold.get()).bytes), Frame(text, 0x81) + Frame("", 0x81));
}

TEST(those_that_keep_context_get_frames_of_their_own) {
  DeflateBudget budget(size_t{64} << 20);
  DeflateWorkspace workspace(budget);
  const auto a = Session(workspace, true);
  const auto b = Session(workspace, true);
  SharedMessages messages;
  messages.Add(Opcode::kText, Bytes("the same text, the same text"));
  const SharedFrames first = messages.FramesFor(a.get());
  CHECK(first.owner != messages.FramesFor(b.get()).owner);
  messages.Clear();
  messages.Add(Opcode::kText, Bytes("the same text, the same text"));
  // It refers to the first.
  CHECK(messages.FramesFor(a.get()).bytes.size() < first.bytes.size());
}

TEST(without_room_for_a_compressor_messages_are_as_they_are) {
  DeflateBudget budget(Decompressor::MaxBytes(kMaxWindowBits));
  DeflateWorkspace workspace(budget);
  const auto session = Session(workspace, false);
  SharedMessages messages;
  messages.Add(Opcode::kText, Bytes("the same text, the same text"));
  CHECK_EQ(Text(messages.FramesFor(session.get()).bytes), Frame("the same text, the same text", 0x81));
}

}  // namespace
}  // namespace ohws
