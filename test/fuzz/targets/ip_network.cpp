// Any text and any address: what is read is what was meant, its text is the only one, and a network has
// exactly the addresses that share its first bits.
#include "protocol/ip_network.h"

#include <charconv>

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

// "a.b.c.d" by hand.
std::optional<std::array<uint8_t, 4>> ReadV4(std::string_view text) {
  std::array<uint8_t, 4> bytes{};
  for (size_t n = 0; n < 4; ++n) {
    if (n > 0) {
      if (!text.starts_with('.')) return std::nullopt;
      text.remove_prefix(1);
    }
    size_t digits = 0;
    unsigned value = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && digits < 4) {
      value = value * 10 + static_cast<unsigned>(text[digits++] - '0');
    }
    if (digits == 0 || digits > 3 || value > 255 || (digits > 1 && text[0] == '0')) return std::nullopt;
    text.remove_prefix(digits);
    bytes[n] = static_cast<uint8_t>(value);
  }
  if (!text.empty()) return std::nullopt;
  return bytes;
}

bool Bit(const IpAddress& address, unsigned at) { return (address.bytes()[at / 8] >> (7 - at % 8) & 1) != 0; }

// An address near to the one before, so that prefixes matter.
IpAddress Near(Input& input, const IpAddress& address) {
  std::array<uint8_t, 16> bytes = address.bytes();
  const unsigned bit = static_cast<unsigned>(input.Below(128));
  bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ (0x80 >> bit % 8));
  return IpAddress::V6(bytes);
}

void CheckNetwork(Input& input, const IpAddress& address) {
  const bool v4 = input.Flag() && address.is_v4();
  const unsigned bits = v4 ? 32 : 128;
  const unsigned prefix = static_cast<unsigned>(input.Below(bits + 8));
  // As IPv6, an IPv4 address is written with a prefix of that.
  const std::string text = v4 || !address.is_v4() ? address.ToText() : "::ffff:" + address.ToText();
  const auto network = IpNetwork::Parse(text + '/' + std::to_string(prefix));
  REQUIRE(network.has_value() == (prefix <= bits));
  if (!network.has_value()) return;
  const auto alone = IpNetwork::Parse(text);
  REQUIRE(alone.has_value() && alone->Contains(address) && network->Contains(address));
  for (int n = 0; n < 4; ++n) {
    const IpAddress other = Near(input, address);
    bool same = other.is_v4() == address.is_v4();
    for (unsigned bit = 0; bit < prefix + (128 - bits); ++bit) {
      same = same && Bit(other, bit) == Bit(address, bit);
    }
    REQUIRE(network->Contains(other) == same);
    REQUIRE(alone->Contains(other) == (other == address));
    const std::array<IpNetwork, 2> both = {*alone, *network};
    REQUIRE(ContainsAny(both, other) == (same || other == address));
  }
  REQUIRE(!ContainsAny({}, address));
}

void CheckAddress(Input& input, const IpAddress& address) {
  const std::string text = address.ToText();
  const auto again = IpAddress::Parse(text);
  REQUIRE(again.has_value() && *again == address);
  REQUIRE(again->is_v4() == ReadV4(text).has_value());
  CheckNetwork(input, address);
}

}  // namespace

void FuzzOne(Input input) {
  std::array<uint8_t, 16> bytes{};
  const uint8_t kind = input.Byte();
  for (uint8_t& byte : bytes) byte = input.Byte();
  const IpAddress made = kind % 2 == 0 ? IpAddress::V6(bytes) : IpAddress::V4(std::span(bytes).first<4>());
  if (kind % 2 != 0) {
    const auto v4 = ReadV4(made.ToText());
    REQUIRE(made.is_v4() && v4.has_value() && std::ranges::equal(*v4, std::span(bytes).first<4>()));
  }
  CheckAddress(input, made);

  const std::string text = input.Rest();
  const auto read = IpAddress::Parse(text);
  const auto v4 = ReadV4(text);
  REQUIRE(read.has_value() || !v4.has_value());
  if (v4.has_value()) REQUIRE(*read == IpAddress::V4(*v4));
  if (read.has_value()) {
    REQUIRE(v4.has_value() || text.find(':') != std::string::npos);
    REQUIRE(text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos);
    CheckAddress(input, *read);
  }
  const size_t slash = text.find('/');
  const bool network = IpNetwork::Parse(text).has_value();
  if (slash == std::string::npos) {
    REQUIRE(network == read.has_value());
  } else if (network) {
    REQUIRE(IpAddress::Parse(std::string_view(text).substr(0, slash)).has_value());
    REQUIRE(text.find_first_not_of("0123456789", slash + 1) == std::string::npos && slash + 1 < text.size());
  }
}

}  // namespace ohws::fuzz
