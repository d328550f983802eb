// Framing and compressing for many. One thread.
#include "protocol/shared_messages.h"

#include <algorithm>
#include <iterator>

namespace ohws {

namespace {

// Memory for more than this is given back.
constexpr size_t kKeepBytes = size_t{256} * 1024;

void AppendFrame(std::vector<uint8_t>& out, Opcode opcode, std::span<const uint8_t> payload,
                 bool compressed) {
  uint8_t header[kMaxFrameHeaderBytes];
  const size_t size = WriteFrameHeader(header, opcode, true, payload.size(), nullptr, compressed);
  out.insert(out.end(), header, header + size);
  out.insert(out.end(), payload.begin(), payload.end());
}

SharedFrames CopyOf(std::span<const uint8_t> bytes) {
  std::shared_ptr<uint8_t[]> copy = std::make_shared_for_overwrite<uint8_t[]>(bytes.size());
  std::ranges::copy(bytes, copy.get());
  const std::span<const uint8_t> view(copy.get(), bytes.size());
  return {.owner = std::move(copy), .bytes = view, .lent = nullptr};
}

}  // namespace

void SharedMessages::Add(Opcode opcode, std::span<const uint8_t> payload) {
  AppendFrame(frames_, opcode, payload, false);
  messages_.push_back({opcode, frames_.size() - payload.size(), payload.size()});
}

SharedFrames SharedMessages::FramesFor(DeflateSession* deflate) {
  if (deflate == nullptr) {
    if (!plain_.has_value()) {
      plain_ = CopyOf(frames_);
      plain_->lent = std::move(lent_);
    }
    return *plain_;
  }
  const std::optional<DeflateSession::Sharing> sharing = deflate->sharing();
  if (!sharing.has_value()) return Compress(*deflate);
  const auto found = std::ranges::find(compressed_, *sharing, &Compressed::sharing);
  if (found != compressed_.end()) return found->frames;
  compressed_.push_back({*sharing, Compress(*deflate)});
  return compressed_.back().frames;
}

SharedFrames SharedMessages::Compress(DeflateSession& deflate) const {
  std::vector<uint8_t> frames;
  uint64_t inflated = 0;
  uint64_t deflated = 0;
  for (const Message& message : messages_) {
    const std::span<const uint8_t> payload(frames_.data() + message.at, message.size);
    const Payload compressed = deflate.Compress(payload);
    if (compressed.data == nullptr) {
      AppendFrame(frames, message.opcode, payload, false);
    } else {
      AppendFrame(frames, message.opcode, {compressed.data.get(), compressed.size}, true);
      inflated += payload.size();
      deflated += compressed.size;
    }
  }
  SharedFrames shared = CopyOf(frames);
  shared.inflated = inflated;
  shared.deflated = deflated;
  return shared;
}

void SharedMessages::Clear() {
  messages_.clear();
  lent_.reset();
  plain_.reset();
  compressed_.clear();
  frames_.clear();
  if (frames_.capacity() > kKeepBytes) frames_.shrink_to_fit();
}

}  // namespace ohws
