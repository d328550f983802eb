#include "engine/up_writer.h"

#include <utility>

namespace ohws {

namespace {

RecordHeader Header(UpKind kind, uint8_t flags, uint16_t aux, uint32_t id, size_t size, uint32_t arg) {
  return {static_cast<uint8_t>(kind), flags, aux, id, static_cast<uint32_t>(size), arg};
}

}  // namespace

void Failure::AppendTo(StringListWriter& strings) const {
  strings.Add(kind).Add(phase).Add(error_number == 0 ? "" : std::to_string(error_number)).Add(detail);
}

bool UpWriter::TryWrite(const RecordHeader& header, std::string_view bytes) {
  if (ring_.TryWrite(header, bytes)) {
    if (ring_.unpublished() >= kPublishBytes) Publish();
    return true;
  }
  // JavaScript may have made room between the look and the wish to be told of it: look once more.
  Publish();
  ring_.WaitForRoom();
  return ring_.TryWrite(header, bytes);
}

bool UpWriter::TryWriteLarge(RecordHeader header, Payload& payload) {
  if (payloads_.bytes() > kMaxBesideBytes) {
    ring_.WaitForRoom();
    if (payloads_.bytes() > kMaxBesideBytes) return false;
  }
  header.arg = payloads_.Put(std::move(payload));
  if (TryWrite(header, {})) return true;
  payload = payloads_.Take(header.arg);
  return false;
}

void UpWriter::Post(UpKind kind, uint32_t id, uint32_t arg, uint16_t aux, uint8_t flags,
                    std::string_view payload) {
  const RecordHeader header = Header(kind, flags, aux, id, payload.size(), arg);
  if (overflow_.empty() && TryWrite(header, payload)) return;
  overflow_.push_back({header, std::string(payload), {}});
}

void UpWriter::PostMessage(uint32_t id, bool binary, bool ascii_only, std::string_view bytes) {
  const RecordHeader header =
      Header(binary ? UpKind::kBinary : UpKind::kText, ascii_only ? kAsciiOnly : 0, 0, id, bytes.size(), 0);
  if (overflow_.empty() && TryWrite(header, bytes)) return;
  overflow_.push_back({header, std::string(bytes), {}});
}

void UpWriter::PostLargeMessage(uint32_t id, bool binary, bool ascii_only, Payload payload) {
  const RecordHeader header =
      Header(binary ? UpKind::kLargeBinary : UpKind::kLargeText, ascii_only ? kAsciiOnly : 0, 0, id, 0, 0);
  if (overflow_.empty() && TryWriteLarge(header, payload)) return;
  overflow_.push_back({header, {}, std::move(payload)});
}

bool UpWriter::HasRoom() {
  const auto enough = [this] {
    return overflow_.empty() && payloads_.bytes() <= kMaxBesideBytes && ring_.HasRoom(kRoomToRead);
  };
  if (enough()) return true;
  Publish();
  ring_.WaitForRoom();
  // JavaScript may have made room between the look and the wish to be told of it: look once more.
  return enough();
}

bool UpWriter::Flush() {
  while (!overflow_.empty()) {
    Waiting& next = overflow_.front();
    const bool written = next.payload.data != nullptr ? TryWriteLarge(next.header, next.payload)
                                                      : TryWrite(next.header, next.bytes);
    if (!written) return false;
    overflow_.pop_front();
  }
  return true;
}

}  // namespace ohws
