// Collects the header, then reads it. Engine thread.
#include "protocol/proxy_header.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace ohws {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kV1Begin = "PROXY "sv;
constexpr std::string_view kV2Begin = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr size_t kV2FixedBytes = 16;
constexpr uint8_t kLocal = 0x20;
constexpr uint8_t kProxy = 0x21;
constexpr uint8_t kUnspecified = 0x00;
constexpr uint8_t kTcp4 = 0x11;
constexpr uint8_t kTcp6 = 0x21;
constexpr uint8_t kUnixStream = 0x31;
// Two addresses and two ports.
constexpr size_t kTcp4Bytes = 12;
constexpr size_t kTcp6Bytes = 36;

// Decimal, and not a digit more than needed.
bool IsPort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && (text.size() == 1 || text[0] != '0');
}

std::string_view TakeWord(std::string_view& line) {
  const size_t blank = line.find(' ');
  const std::string_view word = line.substr(0, blank);
  line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
  return word;
}

}  // namespace

ProxyHeader::Status ProxyHeader::Feed(std::string_view bytes, size_t& used) {
  used = 0;
  if (bytes.empty()) return Status::kMore;
  const char first = header_.empty() ? bytes.front() : header_.front();
  if (first == kV1Begin.front()) return FeedV1(bytes, used);
  return first == kV2Begin.front() ? FeedV2(bytes, used) : Status::kMalformed;
}

ProxyHeader::Status ProxyHeader::FeedV1(std::string_view bytes, size_t& used) {
  while (used < bytes.size()) {
    const char c = bytes[used++];
    header_.push_back(c);
    const size_t size = header_.size();
    if (size <= kV1Begin.size() && c != kV1Begin[size - 1]) return Status::kMalformed;
    if (c == '\n') return ReadV1();
    if (size >= kMaxV1Bytes) return Status::kMalformed;
  }
  return Status::kMore;
}

ProxyHeader::Status ProxyHeader::ReadV1() {
  if (!header_.ends_with("\r\n")) return Status::kMalformed;
  std::string_view line = std::string_view(header_).substr(0, header_.size() - 2);
  line.remove_prefix(kV1Begin.size());
  const std::string_view family = TakeWord(line);
  if (family == "UNKNOWN") return Status::kComplete;
  if (family != "TCP4" && family != "TCP6") return Status::kMalformed;
  const bool colons = family == "TCP6";
  const std::string_view source = TakeWord(line);
  const std::string_view destination = TakeWord(line);
  const std::string_view source_port = TakeWord(line);
  for (const std::string_view address : {source, destination}) {
    const bool has_colon = address.find(':') != std::string_view::npos;
    if (has_colon != colons || !IpAddress::Parse(address).has_value()) return Status::kMalformed;
  }
  // What is left is the other port, and has no blank behind it.
  if (!IsPort(source_port) || !IsPort(line)) return Status::kMalformed;
  client_ = IpAddress::Parse(source);
  return Status::kComplete;
}

ProxyHeader::Status ProxyHeader::FeedV2(std::string_view bytes, size_t& used) {
  const auto take = [&](size_t size) {
    const size_t some = std::min(size - header_.size(), bytes.size() - used);
    header_.append(bytes.substr(used, some));
    used += some;
    return header_.size() == size;
  };
  if (header_.size() < kV2FixedBytes) {
    const bool whole = take(kV2FixedBytes);
    if (!header_.starts_with(kV2Begin.substr(0, header_.size()))) return Status::kMalformed;
    if (!whole) return Status::kMore;
  }
  const auto high = static_cast<uint8_t>(header_[14]);
  const auto low = static_cast<uint8_t>(header_[15]);
  const size_t body = static_cast<size_t>(high) << 8 | low;
  if (body > kMaxV2Bytes) return Status::kMalformed;
  return take(kV2FixedBytes + body) ? ReadV2() : Status::kMore;
}

ProxyHeader::Status ProxyHeader::ReadV2() {
  const auto command = static_cast<uint8_t>(header_[12]);
  const auto family = static_cast<uint8_t>(header_[13]);
  if (command == kLocal) return Status::kComplete;
  if (command != kProxy) return Status::kMalformed;
  const std::string_view body = std::string_view(header_).substr(kV2FixedBytes);
  const auto* bytes = reinterpret_cast<const uint8_t*>(body.data());
  switch (family) {
    case kUnspecified:
    case kUnixStream:
      return Status::kComplete;
    case kTcp4:
      if (body.size() < kTcp4Bytes) return Status::kMalformed;
      client_ = IpAddress::V4(std::span<const uint8_t, 4>(bytes, 4));
      return Status::kComplete;
    case kTcp6:
      if (body.size() < kTcp6Bytes) return Status::kMalformed;
      client_ = IpAddress::V6(std::span<const uint8_t, 16>(bytes, 16));
      return Status::kComplete;
    default:
      return Status::kMalformed;
  }
}

}  // namespace ohws
