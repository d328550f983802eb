// Exact and wildcard comparison of origins. Any thread.
#include "protocol/origin.h"

#include <algorithm>

namespace ohws {
namespace {

constexpr std::string_view kSchemeEnd = "://";

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// What a wildcard may stand for: the characters of host names, so that it never swallows a port, a path or a
// second origin.
bool IsHostText(std::string_view text) {
  return !text.empty() && text.front() != '.' && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

bool Matches(std::string_view origin, std::string_view entry) {
  const size_t star = entry.find('*');
  if (star == std::string_view::npos) return origin == entry;
  const std::string_view head = entry.substr(0, star);
  const std::string_view tail = entry.substr(star + 1);
  return origin.size() > head.size() + tail.size() && origin.starts_with(head) && origin.ends_with(tail) &&
         IsHostText(origin.substr(head.size(), origin.size() - head.size() - tail.size()));
}

// Without the port, if it is the scheme's own: browsers leave it out, others may not.
std::string Normalized(std::string_view origin) {
  std::string text(origin.size(), '\0');
  std::ranges::transform(origin, text.begin(), Lower);
  for (const auto& [scheme, port] :
       {std::pair<std::string_view, std::string_view>{"http", ":80"}, {"https", ":443"}}) {
    if (text.starts_with(std::string(scheme).append(kSchemeEnd)) && text.ends_with(port)) {
      text.resize(text.size() - port.size());
    }
  }
  return text;
}

}  // namespace

bool IsAllowedOrigin(std::string_view origin, const std::vector<std::string>& allowed) {
  const std::string text = Normalized(origin);
  return std::ranges::any_of(allowed, [&text](const std::string& entry) { return Matches(text, entry); });
}

}  // namespace ohws
