// Lists that are made of elements whose meaning is known, and any text: the client is the one that a plain
// look at the elements finds, and nothing left of what a trusted proxy has said changes it.
#include "protocol/forwarded.h"

#include <array>
#include <optional>

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

using Reader = IpAddress (*)(const IpAddress& peer, std::string_view value,
                             std::span<const IpNetwork> trusted);

struct Element {
  std::string text;
  std::optional<IpAddress> client;  // nothing: the search ends here
};

const std::array<IpNetwork, 2>& Trusted() {
  static const std::array<IpNetwork, 2> networks = {*IpNetwork::Parse("10.0.0.0/8"),
                                                    *IpNetwork::Parse("fd00::/8")};
  return networks;
}

IpAddress ReadAddress(Input& input) {
  const uint8_t bits = input.Byte();
  std::array<uint8_t, 16> bytes{};
  for (size_t n = 0; n < bytes.size(); n += 5) bytes[n] = input.Byte();
  if ((bits & 1) != 0) bytes[0] = (bits & 2) != 0 ? 0xfd : 10;  // a proxy of ours
  return (bits & 2) != 0 ? IpAddress::V6(bytes) : IpAddress::V4(std::span(bytes).first<4>());
}

std::string Quoted(const std::string& text) { return '"' + text + '"'; }

Element MakeNode(Input& input) {
  const IpAddress address = ReadAddress(input);
  const bool v4 = address.is_v4();
  const std::string text = v4 ? address.ToText() : '[' + address.ToText() + ']';
  switch (input.Below(4)) {
    case 0:
      return {text + ':' + std::to_string(input.Short()), address};
    case 1: {
      constexpr std::string_view kUnread[] = {"unknown", "_hidden",  "1.2.3",     "[::1",   "[1.2.3.4]",
                                              "[::1]x",  "1.2.3.4:", "1.2.3.4:x", "[::1]:", "1.2.3.4:70000"};
      return {std::string(kUnread[input.Below(std::size(kUnread))]), std::nullopt};
    }
    default:
      return {text, address};
  }
}

Element MakeForwarded(Input& input) {
  Element element = MakeNode(input);
  const bool quoted = element.text.find_first_of("[:") != std::string::npos || input.Flag();
  constexpr std::string_view kFor[] = {"for=", "For=", "FOR="};
  element.text = std::string(kFor[input.Below(3)]) + (quoted ? Quoted(element.text) : element.text);
  switch (input.Below(8)) {
    case 0:
      element.text = "proto=http; " + element.text;
      break;
    case 1:
      element.text += ";by=\"_a,b\"";
      break;
    case 2:
      return {element.text + ';' + element.text, std::nullopt};
    case 3:
      return {element.text + ";x y=z", std::nullopt};
    case 4:
      return {"by=10.0.0.1", std::nullopt};
    case 5:
      return {"for=\"" + input.Take(1) + "\\\"", std::nullopt};
    default:
      break;
  }
  return element;
}

// X-Forwarded-For has IPv6 addresses without brackets too.
Element MakeForwardedFor(Input& input) {
  if (input.Below(4) != 0) return MakeNode(input);
  const IpAddress address = ReadAddress(input);
  return {address.ToText(), address};
}

void CheckList(Input& input, bool forwarded) {
  const Reader read = forwarded ? ClientOfForwarded : ClientOfForwardedFor;
  const IpAddress peer = ReadAddress(input);
  std::string list;
  IpAddress expected = peer;
  bool searching = ContainsAny(Trusted(), peer);
  for (size_t count = input.Below(6); count > 0; --count) {
    const Element element = forwarded ? MakeForwarded(input) : MakeForwardedFor(input);
    constexpr std::string_view kBetween[] = {",", ", ", " ,\t", ",,", " , ,"};
    const std::string between = list.empty() ? "" : std::string(kBetween[input.Below(5)]);
    list = element.text + between + list;
    if (!searching) continue;
    if (element.client.has_value()) expected = *element.client;
    searching = element.client.has_value() && ContainsAny(Trusted(), expected);
  }
  REQUIRE(read(peer, list, Trusted()) == expected);
  // Who was found is found whatever the client itself has said.
  if (!searching) REQUIRE(read(peer, input.Rest() + ", " + list, Trusted()) == expected);
}

void CheckText(Input& input) {
  const IpAddress peer = ReadAddress(input);
  const std::string text = input.Rest();
  const std::vector<char> copy(text.begin(), text.end());
  const std::string_view value(copy.data(), copy.size());
  for (const Reader read : {ClientOfForwarded, ClientOfForwardedFor}) {
    const IpAddress client = read(peer, value, Trusted());
    if (!ContainsAny(Trusted(), peer)) REQUIRE(client == peer);
    REQUIRE(read(peer, value, {}) == peer);
    REQUIRE(read(peer, text + ", ", Trusted()) == client);
  }
}

}  // namespace

void FuzzOne(Input input) {
  const uint8_t kind = input.Byte();
  if (kind % 4 == 0) {
    CheckText(input);
  } else {
    CheckList(input, kind % 2 == 0);
  }
}

}  // namespace ohws::fuzz
