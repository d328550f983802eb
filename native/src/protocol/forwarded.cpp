// Lists from the right, an element at a time. Any thread.
#include "protocol/forwarded.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "protocol/handshake.h"

namespace ohws {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// Takes the last part of a list off. Separators within quotes do not count; the quotes are counted from the
// right, so that nothing left of an element, balanced or not, changes what it says.
std::string_view TakeLast(std::string_view& list, char separator) {
  bool quoted = false;
  for (size_t at = list.size(); at > 0; --at) {
    const char c = list[at - 1];
    if (c == '"') quoted = !quoted;
    if (c != separator || quoted) continue;
    const std::string_view last = list.substr(at);
    list = list.substr(0, at - 1);
    return Trim(last);
  }
  return Trim(std::exchange(list, {}));
}

bool IsPort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

// "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80"; and "2001:db8::1" where that is usual.
std::optional<IpAddress> ParseNode(std::string_view node, bool bare_v6) {
  if (node.starts_with('[')) {
    const size_t end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = node.substr(end + 1);
    if (!rest.empty() && !(rest.starts_with(':') && IsPort(rest.substr(1)))) return std::nullopt;
    const std::string_view inner = node.substr(1, end - 1);
    return inner.find(':') == std::string_view::npos ? std::nullopt : IpAddress::Parse(inner);
  }
  const size_t colon = node.find(':');
  if (colon == std::string_view::npos) return IpAddress::Parse(node);
  if (node.find(':', colon + 1) != std::string_view::npos) {
    return bare_v6 ? IpAddress::Parse(node) : std::nullopt;
  }
  return IsPort(node.substr(colon + 1)) ? IpAddress::Parse(node.substr(0, colon)) : std::nullopt;
}

std::optional<IpAddress> ParseForwardedFor(std::string_view element) { return ParseNode(element, true); }

bool IsFor(std::string_view name) {
  return name.size() == 3 && (name[0] | 0x20) == 'f' && (name[1] | 0x20) == 'o' && (name[2] | 0x20) == 'r';
}

// The node of the only `for` of an element; its other pairs have to be pairs.
std::optional<IpAddress> ParseForwarded(std::string_view element) {
  std::optional<std::string_view> node;
  while (!element.empty()) {
    const std::string_view pair = TakeLast(element, ';');
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || !IsToken(pair.substr(0, equals))) return std::nullopt;
    std::string_view value = pair.substr(equals + 1);
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
      value = value.substr(1, value.size() - 2);
      if (value.find_first_of("\"\\") != std::string_view::npos) return std::nullopt;
    } else if (!IsToken(value)) {
      return std::nullopt;
    }
    if (!IsFor(pair.substr(0, equals))) continue;
    if (node.has_value()) return std::nullopt;
    node = value;
  }
  return node.has_value() ? ParseNode(*node, false) : std::nullopt;
}

IpAddress LastUntrusted(IpAddress client, std::string_view list, std::span<const IpNetwork> trusted,
                        std::optional<IpAddress> (*parse)(std::string_view element)) {
  while (!list.empty() && ContainsAny(trusted, client)) {
    const std::string_view element = TakeLast(list, ',');
    if (element.empty()) continue;
    const auto said = parse(element);
    if (!said.has_value()) break;
    client = *said;
  }
  return client;
}

}  // namespace

IpAddress ClientOfForwardedFor(const IpAddress& peer, std::string_view value,
                               std::span<const IpNetwork> trusted) {
  return LastUntrusted(peer, value, trusted, ParseForwardedFor);
}

IpAddress ClientOfForwarded(const IpAddress& peer, std::string_view value,
                            std::span<const IpNetwork> trusted) {
  return LastUntrusted(peer, value, trusted, ParseForwarded);
}

}  // namespace ohws
