// Headers, rules, and the pieces between. Engine thread.
#include "protocol/frame_reader.h"

#include <algorithm>
#include <cstring>

namespace ohws {
namespace {

constexpr uint8_t kFinBit = 0x80;
constexpr uint8_t kReservedBits = 0x70;
constexpr uint8_t kRsv1Bit = 0x40;
constexpr uint8_t kOpcodeBits = 0x0f;
constexpr uint8_t kMaskBit = 0x80;
constexpr uint8_t kLengthBits = 0x7f;
constexpr uint8_t kLength16Bit = 126;

bool IsControl(uint8_t opcode) { return (opcode & 8) != 0; }

bool IsReserved(uint8_t opcode) {
  return (opcode > static_cast<uint8_t>(Opcode::kBinary) && opcode < static_cast<uint8_t>(Opcode::kClose)) ||
         opcode > static_cast<uint8_t>(Opcode::kPong);
}

size_t LengthBytes(uint8_t second_byte) {
  const uint8_t length = second_byte & kLengthBits;
  if (length < kLength16Bit) return 0;
  return length == kLength16Bit ? 2 : 8;
}

uint64_t ReadBigEndian(const uint8_t* at, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value = value << 8 | at[i];
  return value;
}

// The key as it falls on the byte `by` further on.
void Rotate(uint8_t key[kMaskKeyBytes], size_t by) {
  uint8_t turned[kMaskKeyBytes];
  for (size_t i = 0; i < kMaskKeyBytes; ++i) turned[i] = key[(i + by) % kMaskKeyBytes];
  std::memcpy(key, turned, kMaskKeyBytes);
}

}  // namespace

void FramePiece::CopyTo(uint8_t* out) const {
  if (masked) {
    MaskCopy(out, data, size, key, 0);
  } else if (size != 0 && out != data) {
    std::memcpy(out, data, size);
  }
}

void FramePiece::UnmaskInPlace() {
  CopyTo(const_cast<uint8_t*>(data));
  masked = false;
}

FrameReader::Event FrameReader::Next(std::span<uint8_t>& input, FramePiece& piece) {
  if (violation_ == Violation::kNone && !in_payload_) {
    if (input.empty()) return Event::kNone;
    if (!ReadHeader(input)) return violation_ == Violation::kNone ? Event::kNone : Event::kViolation;
  }
  if (violation_ != Violation::kNone) return Event::kViolation;
  return is_control() ? ReadControl(input, piece) : ReadData(input, piece);
}

// The order of the judgements is lws's, so that the netstack profile can say what lws would.
Violation FrameReader::JudgeFirstByte(uint8_t byte) const {
  const uint8_t opcode = byte & kOpcodeBits;
  const uint8_t reserved = byte & kReservedBits;
  if (IsControl(opcode) && (byte & kFinBit) == 0) return Violation::kFragmentedControl;
  if (IsReserved(opcode)) return Violation::kReservedOpcode;
  const bool continues = opcode == static_cast<uint8_t>(Opcode::kContinuation);
  if (!IsControl(opcode) && continues != in_message_) return Violation::kBadContinuation;
  const bool may_be_compressed = rules_.compressed && !IsControl(opcode) && !continues;
  if ((reserved & ~(may_be_compressed ? kRsv1Bit : 0)) != 0) return Violation::kReservedBits;
  return Violation::kNone;
}

Violation FrameReader::JudgeSecondByte(uint8_t byte) const {
  const bool masked = (byte & kMaskBit) != 0;
  if (masked != rules_.peer_masks && !(rules_.accept_unmasked && !masked)) return Violation::kMasking;
  if (IsControl(header_[0] & kOpcodeBits) && LengthBytes(byte) != 0) return Violation::kControlTooLong;
  return Violation::kNone;
}

// True once the header is complete.
bool FrameReader::ReadHeader(std::span<uint8_t>& input) {
  const auto take = [this, &input](size_t until) {
    const size_t count = std::min<size_t>(until - std::min<size_t>(header_bytes_, until), input.size());
    std::memcpy(header_.data() + header_bytes_, input.data(), count);
    header_bytes_ += static_cast<uint8_t>(count);
    input = input.subspan(count);
    return header_bytes_ >= until;
  };
  const auto fail = [this](Violation violation) {
    violation_ = violation;
    return violation != Violation::kNone;
  };

  if (header_bytes_ == 0) {
    take(1);
    if (fail(JudgeFirstByte(header_[0]))) return false;
  }
  if (header_bytes_ == 1) {
    if (!take(2)) return false;
    if (fail(JudgeSecondByte(header_[1]))) return false;
  }
  const bool masked = (header_[1] & kMaskBit) != 0;
  const size_t length_bytes = LengthBytes(header_[1]);
  if (length_bytes == 8 && header_bytes_ == 2) {
    if (!take(3)) return false;
    if ((header_[2] & 0x80) != 0) return !fail(Violation::kLengthTooLong);
  }
  if (!take(2 + length_bytes)) return false;
  const uint64_t length =
      length_bytes == 0 ? header_[1] & kLengthBits : ReadBigEndian(&header_[2], length_bytes);
  const uint64_t shortest = length_bytes == 0 ? 0 : length_bytes == 2 ? kLength16Bit : 0x10000;
  if (length < shortest && !rules_.accept_longer_lengths) return !fail(Violation::kLengthNotMinimal);
  if (masked && !take(2 + length_bytes + kMaskKeyBytes)) return false;

  header_bytes_ = 0;
  opcode_ = static_cast<Opcode>(header_[0] & kOpcodeBits);
  final_ = (header_[0] & kFinBit) != 0;
  masked_ = masked;
  if (masked) std::memcpy(key_, &header_[2 + length_bytes], kMaskKeyBytes);
  remaining_ = length;
  in_payload_ = true;
  begins_frame_ = true;
  if (is_control()) return true;
  begins_message_ = opcode_ != Opcode::kContinuation;
  if (begins_message_) {
    binary_ = opcode_ == Opcode::kBinary;
    compressed_ = (header_[0] & kRsv1Bit) != 0;
  }
  in_message_ = !final_;
  return true;
}

FrameReader::Event FrameReader::ReadControl(std::span<uint8_t>& input, FramePiece& piece) {
  const size_t here = std::min<size_t>(remaining_, input.size());
  uint8_t* payload = input.data();
  if (masked_ && here != 0) {
    MaskCopy(payload, payload, here, key_, 0);
    Rotate(key_, here);
  }
  const bool whole = control_bytes_ == 0 && here == remaining_;
  if (!whole) {
    if (control_ == nullptr) control_ = std::make_unique<ControlBuffer>();
    if (here != 0) std::memcpy(control_->data() + control_bytes_, payload, here);
    control_bytes_ += static_cast<uint8_t>(here);
    payload = control_->data();
  }
  input = input.subspan(here);
  remaining_ -= here;
  if (remaining_ != 0) return Event::kNone;
  piece = {};
  piece.data = payload;
  piece.size = whole ? here : control_bytes_;
  piece.opcode = opcode_;
  control_bytes_ = 0;
  in_payload_ = false;
  return Event::kControl;
}

FrameReader::Event FrameReader::ReadData(std::span<uint8_t>& input, FramePiece& piece) {
  if (input.empty() && remaining_ != 0) return Event::kNone;
  const size_t here = std::min<size_t>(remaining_, input.size());
  remaining_ -= here;
  piece.data = input.data();
  piece.size = here;
  piece.remaining = remaining_;
  piece.opcode = opcode_;
  piece.begins_frame = begins_frame_;
  piece.first = begins_frame_ && begins_message_;
  piece.last = final_ && remaining_ == 0;
  piece.binary = binary_;
  piece.compressed = compressed_;
  piece.masked = masked_;
  if (masked_) {
    std::memcpy(piece.key, key_, kMaskKeyBytes);
    if (remaining_ != 0) Rotate(key_, here);
  }
  input = input.subspan(here);
  begins_frame_ = false;
  in_payload_ = remaining_ != 0;
  // The buffer of a control frame that came in parts is not kept any longer.
  if (control_ != nullptr && control_bytes_ == 0) control_.reset();
  return Event::kData;
}

}  // namespace ohws
