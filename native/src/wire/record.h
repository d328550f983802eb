// What the two rings carry: the record header, the kinds of both directions, and the encoding of lists of
// strings. Pure values without pointers to either side; any thread. `lib/records.ts` mirrors this file, and
// `binding.wireVersion` lets the two notice when they do not belong together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace ohws {

// Raised with every change of what is declared here, or of a ring's memory (wire/ring.h).
inline constexpr uint32_t kWireVersion = 14;

// Records begin at multiples of this, so that a header never wraps and whatever is left at the end of a ring
// holds at least a header.
inline constexpr uint32_t kRecordAlign = 16;

// `size` bytes of payload follow the header. `id` names a connection or a listener. The meaning of `flags`,
// `aux` and `arg` belongs to the kind and is given there; they are 0 where nothing is said.
struct RecordHeader {
  uint8_t kind;
  uint8_t flags;
  uint16_t aux;
  uint32_t id;
  uint32_t size;
  uint32_t arg;
};
static_assert(sizeof(RecordHeader) == 16);

// Ids come from two owners. JavaScript numbers what it asks for (clients, listeners) and sets this bit; the
// engine numbers what it accepts. An id that the engine gave is given again only after JavaScript has
// answered its kClosed with kRelease: since both rings keep order, no stale record can meet the next owner of
// an id.
inline constexpr uint32_t kJsOwnedId = 0x80000000U;

// Kind 0 in both directions: fills the end of the ring, skip it.
inline constexpr uint8_t kPad = 0;

// Engine to JavaScript.
enum class UpKind : uint8_t {
  kText = 1,           // payload: UTF-8; flags: kAsciiOnly
  kBinary = 2,         // payload: bytes
  kLargeText = 3,      // arg: token of a payload beside the ring; flags: kAsciiOnly
  kLargeBinary = 4,    // arg: token of a payload beside the ring
  kStarted = 5,        // client: the request was created; or strings [kind, phase, errno, detail]
  kOpened = 6,         // client: strings [reason phrase, subprotocol, name, value, name, value, ...]
  kConnectFailed = 7,  // client: aux: HTTP status or 0; strings [kind, phase, errno, detail]
  // aux: code; arg: code of the peer's close frame, 1005 for an empty one, 0 if no legal one came; flags:
  // kAbnormal, kLocalClose; strings [reason, reason of the peer's close frame, kind, phase, errno, detail]
  kClosed = 8,
  kListening = 9,  // listener: strings ["", port, ...], one for each address; or [kind, phase, errno, detail]
  // id: the new connection; arg: its listener; aux: client port; payload: client address, and behind a NUL
  // the client's certificate in DER if there is one; or with kDetailed strings [client address, the address
  // that counts, number of its kUpgradeRequest or "", target, subprotocol, the client's certificate in PEM or
  // "", name, value, ...]
  kAccepted = 10,
  kRefused = 11,  // listener: aux: HTTP status; strings [client address, detail]
  // listener: it and all its connections are gone; after kDrain strings [closed, cut, refused, milliseconds]
  kStopped = 12,
  kDrained = 13,  // answer to kDrainRequest
  kGone = 14,     // client: after kClosed, its TCP connection has ended too
  kStats = 15,    // listener: answer to kStatsRequest; strings [name, value, name, value, ...]
  // answer to kPublishedRequest
  kPublished = 16,
  kReloaded =
      17,  // listener: answer to kReload, kReloadEnd; strings [kind, phase, errno, detail] if it failed
  // Only where kWatch of the listener asks for them; payload: that of the frame.
  kPing = 18,
  kPong = 19,
  // listener; arg: number of the request; aux: client port; flags: kSecure; strings [client address, the
  // address that counts, method, target, the client's certificate in PEM or "", name, value, ...]
  kUpgradeRequest = 20,
  kUpgradeEnded = 21,  // listener; arg: number of a request that nobody waits for any more
  // payload: where the bytes lie in the block that was lent last, and how many (32 bits each, in the
  // machine's byte order); flags: kNewBlock, then arg: token of the block, beside the ring
  kLentBinary = 22,
};

// JavaScript to engine.
enum class DownKind : uint8_t {
  kText = 1,           // payload: UTF-8; arg 1: keep it, kSameText may follow
  kBinary = 2,         // payload: bytes
  kLargeText = 3,      // arg: token of a payload beside the ring
  kLargeBinary = 4,    // arg: token of a payload beside the ring
  kConnect = 5,        // id: the new client; strings [name, value, ...] of ClientConfig
  kListen = 6,         // id: the new listener; strings [name, value, ...] of ServerConfig
  kStop = 7,           // listener; aux: close code; payload: reason
  kClose = 8,          // aux: code to report; arg: code for the wire, 0: an empty body; payload: reason
  kRelease = 9,        // JavaScript has heard kClosed, and has forgotten this id if the engine gave it
  kDrainRequest = 10,  // answer kDrained once all that was sent before has left this process
  kAbandon = 11,       // drop what has not begun to leave and fail; aux: code for the wire; payload: reason
  kDrain = 12,         // listener: as kStop, in at most arg milliseconds; aux: close code; payload: reason
  kStatsRequest = 13,  // listener; answer kStats, unless it is gone
  kSubscribe = 14,     // arg: a topic, as JavaScript numbers them
  kUnsubscribe = 15,   // arg: the topic
  // id: the topic; arg: a connection that does not get it, or 0.
  kPublishText = 16,    // payload: UTF-8
  kPublishBinary = 17,  // payload: bytes
  // id: the topic; arg: token of a payload beside the ring; payload: the connection that does not get it (32
  // bits, in the machine's byte order), or 0.
  kPublishLargeText = 18,
  kPublishLargeBinary = 19,
  // Answer kPublished once all that was published before is in the subscribers' queues.
  kPublishedRequest = 20,
  // listener; read these certificates and answer kReloaded, unless it is gone; strings [name, value, ...] of
  // TlsConfig
  kReload = 21,
  kPause = 22,      // read no more; arg 0: read on
  kPing = 23,       // payload: that of the frame
  kTerminate = 24,  // end TCP now; aux: code to report; payload: reason to report
  kWatch = 25,      // listener; arg: kWatchPings, kWatchPongs, for all of its connections
  // listener; arg: number of the request; aux: HTTP status, or 0 to let it in; strings: see UpgradeRequests
  kUpgradeAnswer = 26,
  kReloadEnd = 27,  // listener; arg 1: take what kReload has read, 0: forget it; answer kReloaded
  kAccept = 28,     // listener that holds: accept whoever comes from now on
  kSameText = 29,   // accepted connection: the text that was kept last
};

// Flags.
inline constexpr uint8_t kAsciiOnly = 1;
inline constexpr uint8_t kNewBlock = 1;
inline constexpr uint8_t kAbnormal = 1;
inline constexpr uint8_t kLocalClose = 2;  // the reason is the one that JavaScript gave, which it has kept
inline constexpr uint8_t kDetailed = 1;
inline constexpr uint8_t kSecure = 1;
inline constexpr uint8_t kWatchPings = 1;
inline constexpr uint8_t kWatchPongs = 2;

constexpr uint32_t RecordBytes(uint32_t payload_size) {
  return static_cast<uint32_t>((sizeof(RecordHeader) + payload_size + kRecordAlign - 1) &
                               ~(kRecordAlign - 1));
}

// A list of strings as a payload: each is its length (32 bits, in the machine's byte order) and its bytes,
// filled up to a multiple of four.
class StringListWriter {
 public:
  StringListWriter& Add(std::string_view text) {
    const auto size = static_cast<uint32_t>(text.size());
    bytes_.append(reinterpret_cast<const char*>(&size), sizeof(size));
    bytes_.append(text);
    bytes_.append((4 - text.size() % 4) % 4, '\0');
    return *this;
  }
  std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class StringListReader {
 public:
  explicit StringListReader(std::string_view bytes) : rest_(bytes) {}

  // The next string, or nothing at the end (also at a malformed one). The view lives as long as the payload.
  std::optional<std::string_view> Next() {
    uint32_t size = 0;
    if (rest_.size() < sizeof(size)) return std::nullopt;
    std::memcpy(&size, rest_.data(), sizeof(size));
    rest_.remove_prefix(sizeof(size));
    if (size > rest_.size()) return std::nullopt;
    const std::string_view text = rest_.substr(0, size);
    const size_t padded = (static_cast<size_t>(size) + 3) & ~size_t{3};
    rest_.remove_prefix(padded < rest_.size() ? padded : rest_.size());
    return text;
  }

 private:
  std::string_view rest_;
};

}  // namespace ohws
