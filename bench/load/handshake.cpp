#include "handshake.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <bit>

#include "failure.h"

namespace ohws::bench {
namespace {

constexpr std::string_view kAcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr size_t kMaxHeadBytes = 8192;

using Digest = std::array<uint8_t, 20>;

// SHA-1 (FIPS 180-4 §6.1) of a whole message. Only the handshake uses it.
Digest Sha1(std::string_view message) {
  std::string padded(message);
  padded.push_back('\x80');
  while (padded.size() % 64 != 56) padded.push_back('\0');
  const uint64_t bits = message.size() * 8;
  for (int shift = 56; shift >= 0; shift -= 8) padded.push_back(static_cast<char>(bits >> shift));

  std::array<uint32_t, 5> hash = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (size_t block = 0; block < padded.size(); block += 64) {
    std::array<uint32_t, 80> w{};
    for (size_t i = 0; i < 64; ++i) {
      w[i / 4] = (w[i / 4] << 8) | static_cast<uint8_t>(padded[block + i]);
    }
    for (size_t t = 16; t < 80; ++t) {
      w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    }

    auto [a, b, c, d, e] = hash;
    for (size_t t = 0; t < 80; ++t) {
      uint32_t mixed = b ^ c ^ d;
      uint32_t constant = t < 40 ? 0x6ed9eba1 : 0xca62c1d6;
      if (t < 20) {
        mixed = (b & c) | (~b & d);
        constant = 0x5a827999;
      } else if (t >= 40 && t < 60) {
        mixed = (b & c) | (b & d) | (c & d);
        constant = 0x8f1bbcdc;
      }
      const uint32_t next = std::rotl(a, 5) + mixed + e + constant + w[t];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    hash = {hash[0] + a, hash[1] + b, hash[2] + c, hash[3] + d, hash[4] + e};
  }

  Digest digest{};
  for (size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<uint8_t>(hash[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

template <size_t kSize>
std::string Base64(const std::array<uint8_t, kSize>& bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < kSize; i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = (group << 8) | (i + j < kSize ? bytes[i + j] : 0u);
    const size_t letters = std::min<size_t>(kSize - i, 3) + 1;
    for (size_t j = 0; j < 4; ++j) {
      text.push_back(j < letters ? kAlphabet[(group >> (18 - 6 * j)) & 63] : '=');
    }
  }
  return text;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, Lower, Lower);
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Whether a comma-separated list has this token in it.
bool HasToken(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (EqualsIgnoringCase(Trimmed(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// What a server must answer to that key.
std::string AcceptValue(std::string_view key) { return Base64(Sha1(std::string(key).append(kAcceptSuffix))); }

// The value of a field in a head, without surrounding blanks; empty if there is none.
std::string_view HeaderValue(std::string_view head, std::string_view name) {
  size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    const size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string_view line = head.substr(begin, at - begin);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos && EqualsIgnoringCase(line.substr(0, colon), name)) {
      return Trimmed(line.substr(colon + 1));
    }
  }
  return {};
}

}  // namespace

std::string MakeKey() {
  std::array<uint8_t, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Failure("no random bytes from the operating system");
  }
  return Base64(bytes);
}

std::string UpgradeResponse(std::string_view request) {
  std::string response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade";
  response.append("\r\nSec-WebSocket-Accept: ")
      .append(AcceptValue(HeaderValue(request, "sec-websocket-key")));
  return response.append(kHeadEnd);
}

std::string UpgradeRequest(uint16_t port, std::string_view path, std::string_view key) {
  std::string request = "GET ";
  request.append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1:").append(std::to_string(port));
  request.append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13");
  request.append("\r\nSec-WebSocket-Key: ").append(key).append(kHeadEnd);
  return request;
}

size_t CheckUpgradeResponse(std::string_view received, std::string_view key) {
  const size_t end = received.find(kHeadEnd);
  if (end == std::string_view::npos) {
    if (received.size() > kMaxHeadBytes) throw Failure("handshake: endless response head");
    return 0;
  }
  const std::string_view head = received.substr(0, end + 2);
  if (!head.starts_with("HTTP/1.1 101 ") && !head.starts_with("HTTP/1.1 101\r\n")) {
    throw Failure("handshake: answered '" + std::string(head.substr(0, head.find('\r'))) + "'");
  }
  if (!EqualsIgnoringCase(HeaderValue(head, "upgrade"), "websocket")) {
    throw Failure("handshake: no 'Upgrade: websocket'");
  }
  if (!HasToken(HeaderValue(head, "connection"), "upgrade")) {
    throw Failure("handshake: no 'Connection: Upgrade'");
  }
  if (HeaderValue(head, "sec-websocket-accept") != AcceptValue(key)) {
    throw Failure("handshake: wrong Sec-WebSocket-Accept");
  }
  if (!HeaderValue(head, "sec-websocket-extensions").empty() ||
      !HeaderValue(head, "sec-websocket-protocol").empty()) {
    throw Failure("handshake: an extension or subprotocol that nobody offered");
  }
  return end + kHeadEnd.size();
}

}  // namespace ohws::bench
