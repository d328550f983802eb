// Addresses by inet_pton, in the 16 bytes of IPv6. Any thread.
#include "protocol/ip_network.h"

#ifdef _WIN32
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <sys/socket.h>
#endif

#include <algorithm>
#include <charconv>

namespace ohws {
namespace {

constexpr std::array<uint8_t, 12> kV4InV6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kV6Bits = 128;
constexpr unsigned kV4Bits = 32;

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string terminated(text);
  // A NUL in the text would end it early.
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  std::array<uint8_t, 4> v4{};
  if (inet_pton(AF_INET, terminated.c_str(), v4.data()) == 1) return V4(v4);
  IpAddress address;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) == 1) return address;
  return std::nullopt;
}

IpAddress IpAddress::V4(std::span<const uint8_t, 4> bytes) {
  IpAddress address;
  std::ranges::copy(kV4InV6, address.bytes_.begin());
  std::ranges::copy(bytes, address.bytes_.begin() + kV4InV6.size());
  return address;
}

IpAddress IpAddress::V6(std::span<const uint8_t, 16> bytes) {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

bool IpAddress::is_v4() const { return std::ranges::equal(kV4InV6, std::span(bytes_).first<12>()); }

std::string IpAddress::ToText() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (!is_v4()) {
    inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
    return text.data();
  }
  // Of every connection: the system's way goes through printf.
  char* end = text.data();
  for (const uint8_t byte : std::span(bytes_).last<4>()) {
    if (end != text.data()) *end++ = '.';
    end = std::to_chars(end, text.data() + text.size(), byte).ptr;
  }
  return {text.data(), end};
}

std::optional<IpNetwork> IpNetwork::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::Parse(text.substr(0, slash));
  if (!address.has_value()) return std::nullopt;
  const bool written_as_v4 = text.find(':') == std::string_view::npos;
  IpNetwork network;
  network.address_ = *address;
  network.prefix_ = kV6Bits;
  if (slash == std::string_view::npos) return network;
  const std::string_view digits = text.substr(slash + 1);
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  const unsigned most = written_as_v4 ? kV4Bits : kV6Bits;
  if (error != std::errc() || end != digits.data() + digits.size() || prefix > most) return std::nullopt;
  network.prefix_ = prefix + (kV6Bits - most);
  return network;
}

bool IpNetwork::Contains(const IpAddress& address) const {
  // All of IPv6 does not mean IPv4 too.
  if (address.is_v4() != address_.is_v4()) return false;
  const size_t whole = prefix_ / 8;
  if (!std::equal(address_.bytes().begin(), address_.bytes().begin() + static_cast<ptrdiff_t>(whole),
                  address.bytes().begin())) {
    return false;
  }
  const unsigned rest = prefix_ % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return ((address_.bytes()[whole] ^ address.bytes()[whole]) & mask) == 0;
}

bool ContainsAny(std::span<const IpNetwork> networks, const IpAddress& address) {
  return std::ranges::any_of(networks, [&](const IpNetwork& network) { return network.Contains(address); });
}

}  // namespace ohws
