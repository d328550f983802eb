// Any request: what is let through has everything that RFC 6455 §4.2.1 asks for, and an answer never has more
// lines than were meant. Any answer: a client takes it only if it has everything that §4.1 asks for.
#include "protocol/handshake.h"

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// The elements of a list, without blanks around them.
std::vector<std::string> Elements(const std::string& list) {
  std::vector<std::string> elements(1);
  for (const char c : list) {
    if (c == ',') {
      elements.emplace_back();
    } else {
      elements.back() += c;
    }
  }
  for (std::string& element : elements) {
    while (!element.empty() && (element.back() == ' ' || element.back() == '\t')) element.pop_back();
    element.erase(0, std::min(element.find_first_not_of(" \t"), element.size()));
  }
  return elements;
}

bool Lists(const std::string& list, const std::string& token) {
  return std::ranges::any_of(Elements(list),
                             [&](const std::string& element) { return Lower(element) == token; });
}

bool IsVisible(char c) { return c > ' ' && c < 0x7f; }

// RFC 9110 §5.6.2, by its exceptions.
bool IsNaiveToken(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, IsVisible) &&
         text.find_first_of("\"(),/:;<=>?@[\\]{}") == std::string::npos;
}

void CheckAnswer(const std::string& answer, const std::string& body, size_t most_lines) {
  REQUIRE(answer.starts_with("HTTP/1.1 "));
  const size_t end = answer.find("\r\n\r\n");
  REQUIRE(end != std::string::npos && answer.substr(end + 4) == body);
  size_t lines = 0;
  const std::string head = answer.substr(0, end);
  for (size_t at = 0; (at = head.find("\r\n", at)) != std::string::npos; at += 2) ++lines;
  REQUIRE(lines <= most_lines);
  const auto breaks =
      static_cast<size_t>(std::ranges::count_if(head, [](char c) { return c == '\r' || c == '\n'; }));
  REQUIRE(breaks == 2 * lines && head.find('\0') == std::string::npos);
  REQUIRE(head.find("\r\nContent-Length: " + std::to_string(body.size())) != std::string::npos);
}

void JudgeAnswer(Input& input) {
  std::string parts[] = {"websocket", "Upgrade", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "chat"};
  const std::string awaited = parts[2];
  const std::string offered = "chat, superchat";
  const uint8_t changes = input.Byte() % 3;
  for (int i = 0; i < changes; ++i) {
    // The part itself with something around it, or something else.
    std::string& part = parts[input.Below(std::size(parts))];
    const bool around = input.Flag();
    const std::string before = input.Text(4);
    part = before + (around ? part : "") + input.Text(20);
  }
  const auto& [upgrade, connection, accept, subprotocol] = parts;
  const std::string_view fault =
      FaultOfUpgradeAnswer({upgrade, connection, accept, subprotocol}, awaited, offered);
  const auto is_one = [](const std::string& value, const std::string& wanted) {
    return Elements(value) == std::vector<std::string>{wanted};
  };
  const bool good =
      is_one(Lower(upgrade), "websocket") && Lists(connection, "upgrade") && is_one(accept, awaited) &&
      (is_one(subprotocol, "") || is_one(subprotocol, "chat") || is_one(subprotocol, "superchat"));
  REQUIRE(fault.empty() == good);
}

}  // namespace

void FuzzOne(Input input) {
  // Most requests are good but for one thing, or the bytes alone would never be.
  std::string parts[] = {
      "GET", "HTTP/1.1", "host", "websocket", "Upgrade", "13", "dGhlIHNhbXBsZSBub25jZQ==", "", "", ""};
  const uint8_t changes = input.Byte() % 4;
  for (int i = 0; i < changes; ++i) parts[input.Below(std::size(parts))] = input.Text(40);
  const auto& [method, version, host, upgrade, connection, ws_version, key, subprotocols, length, encoding] =
      parts;
  const UpgradeRefusal refusal = CheckUpgradeRequest(
      {method, version, host, upgrade, connection, ws_version, key, subprotocols, length, encoding});
  const bool good = method == "GET" && version.size() == 8 && version.starts_with("HTTP/1.") &&
                    version[7] >= '1' && version[7] <= '9' && !host.empty() && IsFieldValue(host) &&
                    host.find_first_of(", \t") == std::string::npos && Lists(upgrade, "websocket") &&
                    Lists(connection, "upgrade") && Elements(ws_version) == std::vector<std::string>{"13"} &&
                    IsWebSocketKey(Elements(key)[0]) && Elements(key).size() == 1 &&
                    (length.empty() || length == "0") && encoding.empty();
  std::vector<std::string> offered = Elements(subprotocols);
  // A comma at the very end has nothing behind it.
  if (offered.back().empty() && (offered.size() > 1 || subprotocols.empty()) &&
      (subprotocols.empty() || subprotocols.back() == ',')) {
    offered.pop_back();
  }
  REQUIRE((refusal == UpgradeRefusal::kNone) == (good && std::ranges::all_of(offered, IsNaiveToken)));
  if (refusal != UpgradeRefusal::kNone) {
    const RefusalAnswer row = AnswerFor(refusal);
    REQUIRE(row.status >= 400 && row.status < 600 && !row.body.empty());
    CheckAnswer(BuildHttpRefusal(refusal), std::string(row.body), 5);
  }
  for (const auto refused : {UpgradeRefusal::kMalformed, UpgradeRefusal::kExtensions}) {
    CheckAnswer(BuildHttpRefusal(refused), std::string(AnswerFor(refused).body), 3);
  }

  const std::string name = input.Text(20);
  const std::string value = input.Text(40);
  REQUIRE(IsToken(name) == IsNaiveToken(name));
  REQUIRE(IsFieldValue(value) == std::ranges::none_of(value, [](char c) {
            const auto byte = static_cast<uint8_t>(c);
            return (byte < 32 && byte != 9) || byte == 127;
          }));
  REQUIRE(ListContainsToken(value, "upgrade") == Lists(value, "upgrade"));
  const HttpHeader extra[] = {{name, value}, {"Retry-After", value}, {value, name}};
  const std::string body = input.Text(40);
  CheckAnswer(BuildHttpRefusal(400 + static_cast<int>(input.Below(200)), extra, body), body, 6);

  const std::vector<std::string> supported = {name, "chat", ""};
  const auto chosen = SelectSubprotocol(value, supported);
  const std::vector<std::string> list = Elements(value);
  const auto first = std::ranges::find_if(list, [&](const std::string& element) {
    return !element.empty() && (element == name || element == "chat");
  });
  REQUIRE(chosen.has_value() == (first != list.end()));
  if (chosen.has_value()) REQUIRE(*chosen == *first);

  JudgeAnswer(input);
}

}  // namespace ohws::fuzz
