// The server's side of an upgrade request: what it demands (RFC 6455 §4.2.1, S23), which subprotocol it
// picks, how it refuses; what a client demands of the answer (§4.1); and the rules for header names and
// values in either direction (RFC 9110 §5). Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ohws {

// RFC 9110 §5.6.2: one or more of the characters a method or a header name may have.
bool IsToken(std::string_view text);

// May stand in a header value: no CR, LF, NUL or other control character but HT. Bytes above 0x7f pass.
constexpr bool IsFieldByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || c == '\t';
}
bool IsFieldValue(std::string_view text);

// The base64 form of 16 bytes (RFC 6455 §4.1): 22 characters of the alphabet and "==".
bool IsWebSocketKey(std::string_view text);

// Without the blanks around it, which are no part of a header value (RFC 9110 §5.5).
std::string_view TrimBlanks(std::string_view text);

// Is the token among the elements of a comma-separated header value? Without regard to the case of the
// value; `token_lowercase` is in lower case.
bool ListContainsToken(std::string_view header_value, std::string_view token_lowercase);

// The parts of a request that decide; a header that is missing is empty, one that came several times is
// joined with commas.
struct UpgradeRequestView {
  std::string_view method;
  std::string_view http_version;  // "HTTP/1.1"
  std::string_view host;
  std::string_view upgrade;
  std::string_view connection;
  std::string_view version;       // Sec-WebSocket-Version
  std::string_view key;           // Sec-WebSocket-Key
  std::string_view subprotocols;  // Sec-WebSocket-Protocol
  std::string_view content_length;
  std::string_view transfer_encoding;
};

// Why a request is refused. Checked in this order; the first that applies is told.
enum class UpgradeRefusal : uint8_t {
  kNone,
  kMalformed,         // 400: no HTTP request
  kUpgradeHeader,     // 426: a plain HTTP request, or an upgrade to something else
  kMethod,            // 405: not GET
  kHttpVersion,       // 505: below HTTP/1.1, or not HTTP/1 at all
  kHost,              // 400: none, or not one host
  kConnectionHeader,  // 400
  kVersion,           // 426: not 13
  kKey,               // 400
  kSubprotocols,      // 400: not a list of tokens
  kExtensions,        // 400: malformed; told by AnswerDeflateOffers() alone
  kBody,              // 400: what follows the request has to be frames
};

UpgradeRefusal CheckUpgradeRequest(const UpgradeRequestView& request);

struct HttpHeader {
  std::string_view name;
  std::string_view value;
};

// How a refusal is answered. The views last as long as the program.
struct RefusalAnswer {
  int status;
  std::span<const HttpHeader> headers;
  std::string_view body;
};

// For every refusal but kNone.
RefusalAnswer AnswerFor(UpgradeRefusal refusal);

// A complete HTTP/1.1 answer that ends the connection: `Connection: close`, the length of the body, and
// `text/plain` if there is one, unless `extra` says what it is. A header of `extra` that is not legal, or
// that this function writes itself, is left out. `status` is 300 to 599.
std::string BuildHttpRefusal(int status, std::span<const HttpHeader> extra, std::string_view body);

// The answer to a refused upgrade request, ready to send; not for kNone.
std::string BuildHttpRefusal(UpgradeRefusal refusal);

// The first subprotocol of the client's list that the server supports, compared exactly (RFC 6455 §4.2.2);
// nothing if there is none, and the answer then names none.
std::optional<std::string> SelectSubprotocol(std::string_view offered_list,
                                             const std::vector<std::string>& supported);

// The parts of a server's answer with status 101 that decide; as for a request, none is missing but empty.
struct UpgradeAnswerView {
  std::string_view upgrade;
  std::string_view connection;
  std::string_view accept;       // Sec-WebSocket-Accept
  std::string_view subprotocol;  // Sec-WebSocket-Protocol
};

// What is wrong with the answer to a request that offered these subprotocols, in words; empty if it is good.
std::string_view FaultOfUpgradeAnswer(const UpgradeAnswerView& answer, std::string_view awaited_accept,
                                      std::string_view offered_subprotocols);

}  // namespace ohws
