// Bytes into lines, a line at a time into parts. Engine thread.
#include "protocol/http_head.h"

#include <algorithm>

namespace ohws {
namespace {

constexpr bool IsVisible(char c) { return c > 0x20 && c < 0x7f; }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// RFC 9112 §2.3: "HTTP/" and a digit, a point, a digit.
bool IsHttpVersion(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/") && IsDigit(text[5]) && text[6] == '.' &&
         IsDigit(text[7]);
}

// RFC 9112 §3.2: a path or a whole URL. What it says is nobody's business here.
bool IsTarget(std::string_view text) {
  return std::ranges::all_of(text, IsVisible) &&
         (text.starts_with('/') || text.find("://") != std::string_view::npos || text == "*");
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

}  // namespace

HttpHead::Status HttpHead::Feed(std::string_view bytes, size_t& used) {
  for (used = 0; used < bytes.size();) {
    if (in_line_end_) {
      if (bytes[used++] != '\n') return Status::kMalformed;
      in_line_end_ = false;
      if (line_.empty()) {
        // An empty line ends the head; before the request line it is none (RFC 9112 §2.2).
        if (!method_.empty()) return Status::kComplete;
        continue;
      }
      if (!TakeLine()) return Status::kMalformed;
      line_.clear();
      continue;
    }
    const std::string_view rest = bytes.substr(used);
    const auto end = std::ranges::find_if_not(rest, IsFieldByte);
    line_.append(rest.begin(), end);
    used += static_cast<size_t>(end - rest.begin());
    if (end == rest.end()) break;
    ++used;
    if (*end != '\r') return Status::kMalformed;
    in_line_end_ = true;
  }
  return Status::kMore;
}

bool HttpHead::TakeLine() { return method_.empty() ? TakeRequestLine() : TakeField(); }

bool HttpHead::TakeRequestLine() {
  const std::string_view line = line_;
  const size_t first = line.find(' ');
  const size_t second = line.find(' ', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos) return false;
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  if (!IsToken(method) || !IsTarget(target) || !IsHttpVersion(version)) return false;
  method_ = method;
  target_ = target;
  version_ = version;
  return true;
}

bool HttpHead::TakeField() {
  const std::string_view line = line_;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) return false;
  constexpr std::string_view kBlanks = " \t";
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(kBlanks), value.size()));
  value = value.substr(0, value.find_last_not_of(kBlanks) + 1);
  fields_.push_back({ToLower(line.substr(0, colon)), std::string(value)});
  return true;
}

std::string HttpHead::Value(std::string_view lowercase_name) const {
  std::string all;
  bool found = false;
  for (const Field& field : fields_) {
    if (field.name != lowercase_name) continue;
    if (found) all += ", ";
    all += field.value;
    found = true;
  }
  return all;
}

UpgradeRefusal CheckUpgradeRequest(const HttpHead& head) {
  const std::string host = head.Value("host");
  const std::string upgrade = head.Value("upgrade");
  const std::string connection = head.Value("connection");
  const std::string version = head.Value("sec-websocket-version");
  const std::string key = head.Value("sec-websocket-key");
  const std::string subprotocols = head.Value("sec-websocket-protocol");
  const std::string content_length = head.Value("content-length");
  const std::string transfer_encoding = head.Value("transfer-encoding");
  return CheckUpgradeRequest(UpgradeRequestView{head.method(), head.version(), host, upgrade, connection,
                                                version, key, subprotocols, content_length,
                                                transfer_encoding});
}

}  // namespace ohws
