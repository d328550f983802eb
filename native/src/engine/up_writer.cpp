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

bool UpWriter::TryWrite(Waiting& record) {
  if (record.payload.data == nullptr) return TryWrite(record.header, record.bytes);
  if (payloads_.bytes() > kMaxBesideBytes) {
    ring_.WaitForRoom();
    if (payloads_.bytes() > kMaxBesideBytes) return false;
  }
  record.header.arg = payloads_.Put(std::move(record.payload));
  if (TryWrite(record.header, record.bytes)) return true;
  record.payload = payloads_.Take(record.header.arg);
  return false;
}

void UpWriter::WriteOrWait(Waiting record) {
  if (!overflow_.empty() || !TryWrite(record)) overflow_.push_back(std::move(record));
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
  WriteOrWait({header, {}, std::move(payload)});
}

void UpWriter::PostLentMessage(uint32_t id, ReceiveMemory::Loan loan, uint32_t size) {
  const std::array<uint32_t, 2> place = {loan.offset, size};
  const std::string_view bytes(reinterpret_cast<const char*>(place.data()), sizeof(place));
  const uint8_t flags = loan.block.data != nullptr ? kNewBlock : 0;
  const RecordHeader header = Header(UpKind::kLentBinary, flags, 0, id, bytes.size(), 0);
  WriteOrWait({header, std::string(bytes), std::move(loan.block)});  // so few bytes are no allocation
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
    if (!TryWrite(overflow_.front())) return false;
    overflow_.pop_front();
  }
  return true;
}

}  // namespace ohws
