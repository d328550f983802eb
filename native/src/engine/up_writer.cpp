#include "engine/up_writer.h"

#include <array>
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

bool UpWriter::TryWriteLarge(RecordHeader header, std::string_view bytes, Payload& payload) {
  if (payloads_.bytes() > kMaxBesideBytes) {
    ring_.WaitForRoom();
    if (payloads_.bytes() > kMaxBesideBytes) return false;
  }
  header.arg = payloads_.Put(std::move(payload));
  if (TryWrite(header, bytes)) return true;
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
  if (overflow_.empty() && TryWriteLarge(header, {}, payload)) return;
  overflow_.push_back({header, {}, std::move(payload)});
}

void UpWriter::PostLentMessage(uint32_t id, ReceiveMemory::Loan loan, uint32_t size) {
  const std::array<uint32_t, 2> place = {loan.offset, size};
  const std::string_view bytes(reinterpret_cast<const char*>(place.data()), sizeof(place));
  const bool new_block = loan.block.data != nullptr;
  const RecordHeader header = Header(UpKind::kLentBinary, new_block ? kNewBlock : 0, 0, id, bytes.size(), 0);
  const bool written =
      overflow_.empty() && (new_block ? TryWriteLarge(header, bytes, loan.block) : TryWrite(header, bytes));
  if (!written) overflow_.push_back({header, std::string(bytes), std::move(loan.block)});
  lent_bytes_ += size;
  if (lent_bytes_ - lent_published_ >= kPublishBytes) Publish();
}

bool UpWriter::HasRoom() {
  const auto enough = [this] {
    return overflow_.empty() && payloads_.bytes() <= kMaxBesideBytes &&
           ring_.HasRoom(kRoomToRead + unread_lent_bytes());
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
    const bool written = next.payload.data != nullptr ? TryWriteLarge(next.header, next.bytes, next.payload)
                                                      : TryWrite(next.header, next.bytes);
    if (!written) return false;
    overflow_.pop_front();
  }
  return true;
}

}  // namespace ohws
