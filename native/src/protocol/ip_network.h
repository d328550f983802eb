// IP addresses and networks as values. An IPv4 address within IPv6 (::ffff:a.b.c.d) is that IPv4 address.
// Pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ohws {

class IpAddress {
 public:
  // The text of one address, without brackets, zone and port; nothing for anything else.
  static std::optional<IpAddress> Parse(std::string_view text);
  // The bytes in network order.
  static IpAddress V4(std::span<const uint8_t, 4> bytes);
  static IpAddress V6(std::span<const uint8_t, 16> bytes);

  bool is_v4() const;
  // The one canonical text.
  std::string ToText() const;
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }

  bool operator==(const IpAddress&) const = default;

 private:
  std::array<uint8_t, 16> bytes_{};
};

class IpNetwork {
 public:
  // "10.0.0.0/8", "fd00::/8"; without a prefix one address. Bits behind the prefix do not matter.
  static std::optional<IpNetwork> Parse(std::string_view text);

  bool Contains(const IpAddress& address) const;

 private:
  IpAddress address_;
  unsigned prefix_ = 0;  // of the 128 bits of IPv6
};

bool ContainsAny(std::span<const IpNetwork> networks, const IpAddress& address);

}  // namespace ohws
