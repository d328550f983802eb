// Checks and answers of an upgrade request, as tables where they are tables. Any thread.
#include "protocol/handshake.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>

namespace ohws {
namespace {

constexpr size_t kWebSocketKeyChars = 24;
constexpr std::string_view kWebSocketKeyPadding = "==";
constexpr std::string_view kWebSocketVersion = "13";

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool IsTokenChar(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return IsLetter(c) || IsDigit(c) || kMarks.find(c) != std::string_view::npos;
}

constexpr bool IsBase64Char(char c) { return IsLetter(c) || IsDigit(c) || c == '+' || c == '/'; }

bool EqualsIgnoringCase(std::string_view text, std::string_view lowercase) {
  return std::ranges::equal(text, lowercase, [](char a, char b) { return ToLower(a) == b; });
}

// Takes the next element off a comma-separated list, without the blanks around it; it may be empty.
std::string_view TakeElement(std::string_view& list) {
  const size_t comma = list.find(',');
  const std::string_view element = TrimBlanks(list.substr(0, comma));
  list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  return element;
}

// "HTTP/1.1" to "HTTP/1.9": RFC 6455 §4.2.1 asks for 1.1 or higher.
bool IsHttp11(std::string_view version) {
  constexpr std::string_view kPrefix = "HTTP/1.";
  return version.size() == kPrefix.size() + 1 && version.starts_with(kPrefix) && IsDigit(version.back()) &&
         version.back() != '0';
}

// One host with an optional port; a comma means two Host headers, which RFC 9112 §3.2 has refused.
bool IsHost(std::string_view host) {
  return !host.empty() && IsFieldValue(host) && host.find_first_of(", \t") == std::string_view::npos;
}

bool IsTokenList(std::string_view list) {
  while (!list.empty()) {
    if (!IsToken(TakeElement(list))) return false;
  }
  return true;
}

constexpr HttpHeader kAllowGet[] = {{"Allow", "GET"}};
constexpr HttpHeader kUpgradeHere[] = {{"Upgrade", "websocket"},
                                       {"Sec-WebSocket-Version", kWebSocketVersion}};

struct RefusalRow {
  UpgradeRefusal refusal;
  int status;
  std::span<const HttpHeader> headers;
  std::string_view body;
};

constexpr RefusalRow kRefusals[] = {
    {UpgradeRefusal::kMalformed, 400, {}, "this is no HTTP/1.1 request\n"},
    {UpgradeRefusal::kMethod, 405, kAllowGet, "a WebSocket handshake is a GET request\n"},
    {UpgradeRefusal::kHttpVersion, 505, {}, "a WebSocket handshake needs HTTP/1.1\n"},
    {UpgradeRefusal::kHost, 400, {}, "the Host header is missing or malformed\n"},
    {UpgradeRefusal::kUpgradeHeader, 426, kUpgradeHere, "this is a WebSocket endpoint\n"},
    {UpgradeRefusal::kConnectionHeader, 400, {}, "the Connection header does not ask for an upgrade\n"},
    {UpgradeRefusal::kVersion, 426, kUpgradeHere, "the WebSocket version is not 13\n"},
    {UpgradeRefusal::kKey, 400, {}, "the Sec-WebSocket-Key header is missing or malformed\n"},
    {UpgradeRefusal::kSubprotocols, 400, {}, "the Sec-WebSocket-Protocol header is malformed\n"},
    {UpgradeRefusal::kExtensions, 400, {}, "the Sec-WebSocket-Extensions header is malformed\n"},
    {UpgradeRefusal::kBody, 400, {}, "a WebSocket handshake has no body\n"},
};

struct ReasonRow {
  int status;
  std::string_view phrase;
};

constexpr ReasonRow kReasons[] = {
    {301, "Moved Permanently"},
    {302, "Found"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {414, "URI Too Long"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

// An empty phrase is legal, so a status without a row still makes a valid status line.
std::string_view ReasonPhrase(int status) {
  const auto* row = std::ranges::find(kReasons, status, &ReasonRow::status);
  return row == std::ranges::end(kReasons) ? std::string_view() : row->phrase;
}

bool IsOurs(std::string_view name) {
  constexpr std::string_view kOurs[] = {"connection", "content-length", "transfer-encoding"};
  return std::ranges::any_of(kOurs, [name](auto ours) { return EqualsIgnoringCase(name, ours); });
}

void AppendHeader(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view TrimBlanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const size_t from = text.find_first_not_of(kBlanks);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlanks) + 1 - from);
}

bool IsToken(std::string_view text) { return !text.empty() && std::ranges::all_of(text, IsTokenChar); }

bool IsFieldValue(std::string_view text) { return std::ranges::all_of(text, IsFieldByte); }

bool IsWebSocketKey(std::string_view text) {
  return text.size() == kWebSocketKeyChars && text.ends_with(kWebSocketKeyPadding) &&
         std::ranges::all_of(text.substr(0, kWebSocketKeyChars - kWebSocketKeyPadding.size()), IsBase64Char);
}

bool ListContainsToken(std::string_view header_value, std::string_view token_lowercase) {
  while (!header_value.empty()) {
    if (EqualsIgnoringCase(TakeElement(header_value), token_lowercase)) return true;
  }
  return false;
}

UpgradeRefusal CheckUpgradeRequest(const UpgradeRequestView& request) {
  if (!ListContainsToken(request.upgrade, "websocket")) return UpgradeRefusal::kUpgradeHeader;
  if (request.method != "GET") return UpgradeRefusal::kMethod;
  if (!IsHttp11(request.http_version)) return UpgradeRefusal::kHttpVersion;
  if (!IsHost(request.host)) return UpgradeRefusal::kHost;
  if (!ListContainsToken(request.connection, "upgrade")) return UpgradeRefusal::kConnectionHeader;
  if (TrimBlanks(request.version) != kWebSocketVersion) return UpgradeRefusal::kVersion;
  if (!IsWebSocketKey(TrimBlanks(request.key))) return UpgradeRefusal::kKey;
  if (!IsTokenList(request.subprotocols)) return UpgradeRefusal::kSubprotocols;
  const bool empty = request.content_length.empty() || request.content_length == "0";
  if (!empty || !request.transfer_encoding.empty()) return UpgradeRefusal::kBody;
  return UpgradeRefusal::kNone;
}

RefusalAnswer AnswerFor(UpgradeRefusal refusal) {
  const auto* row = std::ranges::find(kRefusals, refusal, &RefusalRow::refusal);
  assert(row != std::ranges::end(kRefusals));
  if (row == std::ranges::end(kRefusals)) return {500, {}, {}};
  return {row->status, row->headers, row->body};
}

std::string BuildHttpRefusal(int status, std::span<const HttpHeader> extra, std::string_view body) {
  assert(status >= 300 && status <= 599);
  std::string answer = "HTTP/1.1 " + std::to_string(status) + ' ';
  answer.append(ReasonPhrase(status)).append("\r\n");
  bool has_upgrade = false;
  bool has_type = body.empty();
  for (const HttpHeader& header : extra) {
    if (!IsToken(header.name) || !IsFieldValue(header.value) || IsOurs(header.name)) continue;
    has_upgrade |= EqualsIgnoringCase(header.name, "upgrade");
    has_type |= EqualsIgnoringCase(header.name, "content-type");
    AppendHeader(answer, header.name, header.value);
  }
  // RFC 9110 §7.8: who sends Upgrade names it in Connection too.
  AppendHeader(answer, "Connection", has_upgrade ? "Upgrade, close" : "close");
  if (!has_type) AppendHeader(answer, "Content-Type", "text/plain; charset=utf-8");
  AppendHeader(answer, "Content-Length", std::to_string(body.size()));
  return answer.append("\r\n").append(body);
}

std::string BuildHttpRefusal(UpgradeRefusal refusal) {
  const RefusalAnswer answer = AnswerFor(refusal);
  return BuildHttpRefusal(answer.status, answer.headers, answer.body);
}

std::optional<std::string> SelectSubprotocol(std::string_view offered_list,
                                             const std::vector<std::string>& supported) {
  while (!offered_list.empty()) {
    const std::string_view offered = TakeElement(offered_list);
    const auto match = std::ranges::find(supported, offered);
    if (match != supported.end() && !match->empty()) return *match;
  }
  return std::nullopt;
}

std::string_view FaultOfUpgradeAnswer(const UpgradeAnswerView& answer, std::string_view awaited_accept,
                                      std::string_view offered_subprotocols) {
  // Other than a request's, the value is one protocol: the one that the connection has now.
  if (!EqualsIgnoringCase(TrimBlanks(answer.upgrade), "websocket")) {
    return "the server's Upgrade header does not say 'websocket'";
  }
  if (!ListContainsToken(answer.connection, "upgrade")) {
    return "the server's Connection header does not say 'Upgrade'";
  }
  if (answer.accept.find(',') != std::string_view::npos) {
    return "the server sent more than one Sec-WebSocket-Accept";
  }
  if (TrimBlanks(answer.accept) != awaited_accept) return "the server's Sec-WebSocket-Accept is wrong";
  const std::string_view subprotocol = TrimBlanks(answer.subprotocol);
  if (subprotocol.empty()) return {};
  if (subprotocol.find(',') != std::string_view::npos) return "the server chose more than one subprotocol";
  while (!offered_subprotocols.empty()) {
    if (TakeElement(offered_subprotocols) == subprotocol) return {};
  }
  return "the server chose a subprotocol that was not asked for";
}

}  // namespace ohws
