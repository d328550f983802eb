// However a header is cut, it is read as the whole by a naive reader, and not a byte behind it is taken.
#include "protocol/proxy_header.h"

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

using Status = ProxyHeader::Status;

struct Reading {
  Status status = Status::kMore;
  size_t used = 0;  // of a header that is complete
  std::optional<IpAddress> client;
  bool operator==(const Reading&) const = default;
};

const Reading kMalformed{Status::kMalformed, 0, std::nullopt};

bool IsPort(const std::string& text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return false;
  return text.find_first_not_of("0123456789") == std::string::npos && std::stoul(text) <= 65'535;
}

Reading ReadV1(const std::string& text) {
  const std::string begin = "PROXY ";
  const size_t known = std::min(begin.size(), text.size());
  if (text.substr(0, known) != begin.substr(0, known)) return kMalformed;
  const size_t end = text.find('\n');
  if (end >= ProxyHeader::kMaxV1Bytes) {
    return text.size() >= ProxyHeader::kMaxV1Bytes ? kMalformed : Reading{};
  }
  if (text[end - 1] != '\r') return kMalformed;
  std::vector<std::string> words(1);
  for (const char c : text.substr(0, end - 1)) {
    if (c == ' ') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words[1] == "UNKNOWN") return {Status::kComplete, end + 1, std::nullopt};
  if (words.size() != 6) return kMalformed;
  const auto source = IpAddress::Parse(words[2]);
  const auto destination = IpAddress::Parse(words[3]);
  if (!source.has_value() || !destination.has_value()) return kMalformed;
  const auto is_v6 = [](const std::string& address) { return address.find(':') != std::string::npos; };
  const std::string family = is_v6(words[2]) ? "TCP6" : "TCP4";
  if (words[1] != family || is_v6(words[2]) != is_v6(words[3])) return kMalformed;
  if (!IsPort(words[4]) || !IsPort(words[5])) return kMalformed;
  return {Status::kComplete, end + 1, source};
}

Reading ReadV2(const std::string& text) {
  const std::string begin("\r\n\r\n\0\r\nQUIT\n", 12);
  const size_t known = std::min(begin.size(), text.size());
  if (text.substr(0, known) != begin.substr(0, known)) return kMalformed;
  if (text.size() < 16) return {};
  const auto at = [&text](size_t n) { return static_cast<uint8_t>(text[n]); };
  const size_t body = size_t{at(14)} * 256 + at(15);
  if (body > ProxyHeader::kMaxV2Bytes) return kMalformed;
  const size_t size = 16 + body;
  if (text.size() < size) return {};
  if (at(12) == 0x20) return {Status::kComplete, size, std::nullopt};
  if (at(12) != 0x21) return kMalformed;
  const auto* source = reinterpret_cast<const uint8_t*>(text.data()) + 16;
  switch (at(13)) {
    case 0x11:
      if (body < 12) return kMalformed;
      return {Status::kComplete, size, IpAddress::V4(std::span<const uint8_t, 4>(source, 4))};
    case 0x21:
      if (body < 36) return kMalformed;
      return {Status::kComplete, size, IpAddress::V6(std::span<const uint8_t, 16>(source, 16))};
    case 0x00:
    case 0x31:
      return {Status::kComplete, size, std::nullopt};
    default:
      return kMalformed;
  }
}

Reading ReadNaively(const std::string& text) {
  if (text.empty()) return {};
  if (text[0] == 'P') return ReadV1(text);
  return text[0] == '\r' ? ReadV2(text) : kMalformed;
}

Reading Read(const std::string& text, uint8_t parts) {
  ProxyHeader header;
  Reading reading;
  InParts(text, parts, [&](std::string_view part) {
    size_t used = 0;
    reading.status = header.Feed(part, used);
    REQUIRE(used <= part.size() && (reading.status != Status::kMore || used == part.size()));
    reading.used += used;
    return reading.status == Status::kMore;
  });
  REQUIRE(reading.used <= 16 + ProxyHeader::kMaxV2Bytes);
  if (reading.status != Status::kComplete) reading.used = 0;
  if (reading.status == Status::kComplete) reading.client = header.client();
  return reading;
}

}  // namespace

void FuzzOne(Input input) {
  const uint8_t parts = input.Byte();
  const std::string text = input.Rest();
  const Reading expected = ReadNaively(text);
  for (const uint8_t way : {uint8_t{0}, uint8_t{1}, parts}) REQUIRE(Read(text, way) == expected);
  ProxyHeader nothing;
  size_t used = 1;
  REQUIRE(nothing.Feed({}, used) == Status::kMore && used == 0);
}

}  // namespace ohws::fuzz
