// The whole engine with libwebsockets and real sockets on loopback, both roles and both rules, driven by a
// script: what JavaScript puts into the ring, and what peers send. All of it runs on this thread and by a
// clock of the script: the engine asks for events, and when there are none, the next step is made. Checked:
// the order of the records that come up; what they say; that whatever we send to a peer is legal frames; and
// that at the end, everybody having been closed and time having gone by, nothing is left: no connection, no
// descriptor, no payload.
#include <arpa/inet.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>

#include "engine/core.h"
#include "fuzz.h"
#include "protocol/deflate_budget.h"
#include "protocol/frame_reader.h"
#include "protocol/http_head.h"
#include "protocol/utf8.h"

namespace ohws::fuzz {
namespace {

// The engine's monotonic clock while an input runs, in microseconds; 0 otherwise.
uint64_t script_us = 0;
constexpr uint64_t kBeginUs = 1'000'000'000;

}  // namespace
}  // namespace ohws::fuzz

// The linker sends every call of clock_gettime() here (--wrap).
extern "C" int __real_clock_gettime(clockid_t clock, timespec* now);
extern "C" int __wrap_clock_gettime(clockid_t clock, timespec* now) {
  const uint64_t us = ohws::fuzz::script_us;
  if (us == 0 || clock != CLOCK_MONOTONIC) return __real_clock_gettime(clock, now);
  now->tv_sec = static_cast<time_t>(us / 1'000'000);
  now->tv_nsec = static_cast<long>(us % 1'000'000 * 1000);
  return 0;
}

namespace ohws::fuzz {
namespace {

// As small as the engine's reads allow, so that a script can fill one.
constexpr uint32_t kRingBytes = kRingHeadBytes + 512 * 1024;
constexpr size_t kMostPeers = 8;
constexpr size_t kMostSteps = 400;
constexpr uint64_t kMessageBytes = 200'000;
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";

sockaddr_in Loopback(uint16_t port, uint8_t host = 1) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(0x7f000000U | host);
  return address;
}

// Where clients connect to; one for the process.
struct PeersListener {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  uint16_t port = 0;

  PeersListener() {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    const int small = 8192;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(fd, 64) == 0);
    REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
  }
};

std::string AcceptFor(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char hash[20];
  lws_SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
  char base64[40];
  lws_b64_encode_string(reinterpret_cast<const char*>(hash), sizeof(hash), base64, sizeof(base64));
  return base64;
}

// The other end of one connection of the engine's.
class Peer {
 public:
  Peer(int fd, bool is_client, bool netstack)
      : fd_(fd),
        is_client_(is_client),
        netstack_(netstack),
        reader_({.peer_masks = !is_client, .compressed = true}) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { Reset(); }

  bool open() const { return fd_ >= 0; }
  bool is_client() const { return is_client_; }
  const std::string& head() const { return head_; }

  // What the kernel does not take is lost, as if it had never been said.
  void Write(std::string_view bytes) const {
    if (fd_ >= 0 && send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return;
  }
  void End() const {
    if (fd_ >= 0) shutdown(fd_, SHUT_WR);
  }
  void Reset() {
    if (fd_ < 0) return;
    // Nothing of it stays behind, here or in the kernel.
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd_);
    fd_ = -1;
  }

  void Read() {
    std::vector<uint8_t> bytes(64 * 1024);
    while (fd_ >= 0) {
      const ssize_t got = recv(fd_, bytes.data(), bytes.size(), 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) {
        Reset();
        return;
      }
      Judge(std::span(bytes).first(static_cast<size_t>(got)));
    }
  }

 private:
  void Judge(std::span<uint8_t> bytes) {
    if (!upgraded_) {
      head_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      const size_t end = head_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      if (is_client_) {
        // netstack leaves it to libwebsockets to answer what is no HTTP.
        REQUIRE(head_.starts_with(netstack_ ? "HTTP/1." : "HTTP/1.1 "));
        if (!head_.starts_with("HTTP/1.1 101 ")) return;
      } else if (head_.starts_with("CONNECT ")) {
        if (head_.size() == end + 4) return;
        head_.erase(0, end + 4);
        Judge({});
        return;
      } else {
        // Ours are heads by our own rules.
        HttpHead read;
        size_t used = 0;
        REQUIRE(read.Feed(head_, used) == HttpHead::Status::kComplete);
        REQUIRE(CheckUpgradeRequest(read) == UpgradeRefusal::kNone);
      }
      upgraded_ = true;
      std::vector<uint8_t> rest(head_.begin() + static_cast<ptrdiff_t>(end + 4), head_.end());
      head_.resize(end + 4);
      Judge(rest);
      return;
    }
    FramePiece piece;
    for (;;) {
      const FrameReader::Event event = reader_.Next(bytes, piece);
      REQUIRE(event != FrameReader::Event::kViolation);
      if (event == FrameReader::Event::kNone) return;
      REQUIRE(!closed_);
      closed_ = event == FrameReader::Event::kControl && piece.opcode == Opcode::kClose;
    }
  }

  int fd_;
  const bool is_client_;
  const bool netstack_;  // the engine's rules
  bool upgraded_ = false;
  bool closed_ = false;
  std::string head_;
  FrameReader reader_;
};

// What an id may still say.
enum class Life : uint8_t { kAsked, kStarted, kOpen, kOver, kGone };

// The script: JavaScript's side of the rings, the peers and the clock, made to look like a poller.
class Script final : public Poller {
 public:
  Script(Input& input, PayloadTable& up_payloads, PayloadTable& down_payloads, std::atomic<bool>& stop)
      : input_(input),
        up_payloads_(up_payloads),
        down_payloads_(down_payloads),
        stop_(stop),
        events_(CreateEpoll()),
        up_memory_(kRingBytes / sizeof(uint64_t)),
        down_memory_(kRingBytes / sizeof(uint64_t)),
        up_(up()),
        down_(down()) {
    options_ = input_.Byte();
    server_options_ = input_.Byte();
  }

  RingMemory up() { return {reinterpret_cast<uint8_t*>(up_memory_.data()), kRingBytes}; }
  RingMemory down() { return {reinterpret_cast<uint8_t*>(down_memory_.data()), kRingBytes}; }

  void Watch(int fd, uint32_t generation, Mode mode, bool read, bool write) override {
    events_->Watch(fd, generation, mode, read, write);
  }
  void Forget(int fd) override { events_->Forget(fd); }
  void Rearm(int fd, bool read, bool write) override { events_->Rearm(fd, read, write); }
  void Wake() override {}

  size_t Wait(std::span<Event> events, int timeout_ms) override {
    const size_t count = events_->Wait(events, 0);
    if (count != 0) {
      idle_ = 0;
      return count;
    }
    // The engine has work of its own to do, or waits for less than a millisecond. That must come to an end.
    if (timeout_ms == 0 && idle_ < 1000) {
      ++idle_;
      script_us += 50;
      return 0;
    }
    REQUIRE(timeout_ms != 0);
    idle_ = 0;
    if (steps_ < kMostSteps && !input_.empty()) {
      do {
        Step();
      } while (together_ && ++steps_ < kMostSteps && !input_.empty());
      ++steps_;
    } else {
      Finish();
    }
    return 0;
  }

 private:
  bool netstack() const { return (options_ & 1) != 0; }

  // ------------------------------------------------------------------------------------------ JavaScript

  // False, and nothing is said, if the ring is full.
  bool Down(DownKind kind, uint32_t id, std::string_view payload = {}, uint16_t aux = 0, uint32_t arg = 0) {
    const RecordHeader header{
        static_cast<uint8_t>(kind), 0, aux, id, static_cast<uint32_t>(payload.size()), arg};
    if (!down_.TryWrite(header, payload)) return false;
    down_.Publish();
    return true;
  }

  void Large(DownKind kind, uint32_t id, const std::string& text) {
    Payload payload = Payload::Allocate(text.size());
    std::copy(text.begin(), text.end(), payload.data.get());
    const uint32_t token = down_payloads_.Put(std::move(payload));
    const RecordHeader header{static_cast<uint8_t>(kind), 0, 0, id, 0, token};
    if (down_.TryWrite(header, {})) {
      down_.Publish();
    } else {
      down_payloads_.Take(token);
    }
  }

  void AddCommon(StringListWriter& strings, uint8_t bits) const {
    strings.Add("rules").Add(netstack() ? "netstack" : "documented");
    const auto limit = [&strings](std::string_view name, uint64_t value) {
      strings.Add("limit").Add(name).Add(std::to_string(value));
    };
    limit("messageBytes", kMessageBytes);
    limit("messageFragments", (bits & 1) != 0 ? 3 : 1000);
    limit("pendingControlFrames", (bits & 2) != 0 ? 2 : 1000);
    limit("closeTimeoutMs", 5000);
    limit("handshakeTimeoutMs", 10'000);
    limit("headerBytes", (bits & 4) != 0 ? 300 : 16'384);
    limit("headerLines", 20);
    if ((bits & 8) != 0) {
      strings.Add("deflate").Add("threshold").Add("16");
      strings.Add("deflate").Add("serverNoContextTakeover").Add((bits & 16) != 0 ? "1" : "0");
      strings.Add("deflate").Add("clientMaxWindowBits").Add((bits & 16) != 0 ? "9" : "15");
    }
  }

  void Listen() {
    if (listener_ != 0) return;
    listener_ = kJsOwnedId | next_id_++;
    StringListWriter strings;
    const auto address = [&strings](std::string_view ip) {
      strings.Add("listen").Add("").Add("listenOption").Add("address").Add(ip);
      strings.Add("listenOption").Add("port").Add("0");
    };
    address("127.0.0.1");
    if ((server_options_ & 1) != 0) address("no address");
    AddCommon(strings, server_options_ >> 1);
    const auto limit = [&strings](std::string_view name, std::string_view value) {
      strings.Add("limit").Add(name).Add(value);
    };
    limit("handshakes", (server_options_ & 64) != 0 ? "2" : "1000");
    limit("connections", (server_options_ & 128) != 0 ? "2" : "Infinity");
    limit("connectionsPerMinute", (options_ & 2) != 0 && !netstack() ? "3" : "Infinity");
    strings.Add("maxClients").Add((options_ & 4) != 0 ? "1" : "100");
    strings.Add("maxConnectionsPerClient").Add((options_ & 8) != 0 ? "1" : "100");
    strings.Add("protocol").Add("chat");
    if ((options_ & 16) != 0)
      strings.Add("allowedOrigins").Add("").Add("allowedOrigin").Add("http://*.example.com");
    if (Down(DownKind::kListen, listener_, strings.bytes())) lives_[listener_] = Life::kAsked;
  }

  void Connect() {
    const uint8_t bits = input_.Byte();
    const uint32_t id = kJsOwnedId | next_id_++;
    StringListWriter strings;
    // Nobody listens at the second one.
    const bool proxy = (bits & 64) != 0;
    if ((bits & 32) != 0) strings.Add(proxy ? "proxyAddress" : "address").Add("127.0.0.2");
    strings.Add(proxy ? "proxyAddress" : "address").Add("127.0.0.1");
    strings.Add(proxy ? "proxyPort" : "port").Add(std::to_string(PeersPort()));
    if (proxy) strings.Add("address").Add("127.0.0.1").Add("port").Add("80");
    if (proxy && (bits & 128) != 0) strings.Add("proxyUser").Add("me").Add("proxyPassword").Add("secret");
    strings.Add("tls").Add("0").Add("host").Add("localhost").Add("serverName").Add("localhost");
    strings.Add("path").Add("/chat").Add("origin").Add("http://localhost").Add("trust").Add("verify");
    if ((bits & 128) != 0) strings.Add("protocol").Add("chat");
    strings.Add("header").Add("X-Mine").Add("1");
    strings.Add("pingIntervalSeconds").Add("30").Add("pongTimeoutSeconds").Add((bits & 1) != 0 ? "0" : "10");
    AddCommon(strings, bits);
    if (Down(DownKind::kConnect, id, strings.bytes())) lives_[id] = Life::kAsked;
  }

  static const PeersListener& Peers() {
    static const PeersListener listener;
    return listener;
  }
  static uint16_t PeersPort() { return Peers().port; }

  // One of the endpoints that JavaScript knows and has not heard the end of; 0 if there is none.
  uint32_t SomeId(uint8_t choice) const {
    std::vector<uint32_t> ids;
    for (const auto& [id, life] : lives_) {
      if (id != listener_ && life < Life::kOver) ids.push_back(id);
    }
    return ids.empty() ? 0 : ids[choice % ids.size()];
  }

  void OnUp(const RecordHeader& header, std::string_view payload) {
    const auto kind = static_cast<UpKind>(header.kind);
    const bool is_listener = header.id == listener_;
    const bool is_client = (header.id & kJsOwnedId) != 0 && !is_listener;
    if (kind == UpKind::kAccepted) {
      REQUIRE(!is_client && !is_listener && header.arg == listener_ && payload.starts_with("127.0.0."));
      REQUIRE(lives_[listener_] == Life::kOpen && !lives_.contains(header.id));
      lives_[header.id] = Life::kOpen;
      return;
    }
    // A question about nobody may have been this one.
    if (kind == UpKind::kPublished) return;
    const auto found = lives_.find(header.id);
    REQUIRE(found != lives_.end());
    Life& life = found->second;
    switch (kind) {
      case UpKind::kText:
      case UpKind::kBinary:
        REQUIRE(!is_listener && life == Life::kOpen);
        JudgeMessage(kind == UpKind::kText, (header.flags & kAsciiOnly) != 0, payload);
        return;
      case UpKind::kLargeText:
      case UpKind::kLargeBinary: {
        REQUIRE(!is_listener && life == Life::kOpen);
        const Payload large = up_payloads_.Take(header.arg);
        REQUIRE(large.data != nullptr);
        JudgeMessage(kind == UpKind::kLargeText, (header.flags & kAsciiOnly) != 0,
                     {reinterpret_cast<const char*>(large.data.get()), large.size});
        return;
      }
      case UpKind::kStarted:
        REQUIRE(is_client && life == Life::kAsked);
        life = payload.empty() ? Life::kStarted : Life::kGone;
        return;
      case UpKind::kOpened:
        REQUIRE(is_client && life == Life::kStarted);
        life = Life::kOpen;
        return;
      case UpKind::kConnectFailed:
        REQUIRE(is_client && life == Life::kStarted);
        life = Life::kOver;
        return;
      case UpKind::kClosed:
        REQUIRE(!is_listener && (life == Life::kOpen || (is_client && life == Life::kStarted)));
        Down(DownKind::kRelease, header.id);
        if (is_client) {
          life = Life::kOver;
        } else {
          lives_.erase(found);
        }
        return;
      case UpKind::kGone:
        REQUIRE(is_client && life == Life::kOver);
        life = Life::kGone;
        return;
      case UpKind::kListening: {
        REQUIRE(is_listener && life == Life::kAsked);
        StringListReader strings(payload);
        life = strings.Next().value_or("failed").empty() ? Life::kOpen : Life::kGone;
        if (life == Life::kOpen)
          port_ = static_cast<uint16_t>(std::stoi(std::string(strings.Next().value_or("0"))));
        return;
      }
      case UpKind::kRefused:
      case UpKind::kStats:
        REQUIRE(is_listener && life == Life::kOpen);
        return;
      case UpKind::kStopped:
        REQUIRE(is_listener && life == Life::kOpen);
        for (const auto& [id, other] : lives_) REQUIRE((id & kJsOwnedId) != 0);
        life = Life::kGone;
        return;
      case UpKind::kDrained:
        REQUIRE(!is_listener && life <= Life::kOpen);
        return;
      case UpKind::kAccepted:
        return;
      // Answers to what the script never asks for.
      case UpKind::kPublished:
      case UpKind::kReloaded:
      case UpKind::kPing:
      case UpKind::kPong:
      case UpKind::kUpgradeRequest:
      case UpKind::kUpgradeEnded:
        break;
    }
    REQUIRE(life > Life::kGone);  // a record that must not come
  }

  void JudgeMessage(bool text, bool ascii, std::string_view message) const {
    REQUIRE(message.size() <= kMessageBytes);
    const Utf8Result result = CheckUtf8(message);
    REQUIRE(!text || ascii == (result == Utf8Result::kAscii));
    REQUIRE(!text || netstack() || ascii || result == Utf8Result::kValid);
  }

  void ReadUp(size_t most) {
    RecordHeader header;
    uint8_t* payload = nullptr;
    for (size_t n = 0; n < most && up_.Next(header, payload); ++n) {
      OnUp(header, {reinterpret_cast<const char*>(payload), header.size});
    }
    up_.Release();
  }

  // ----------------------------------------------------------------------------------------------- peers

  void Dial(uint8_t host) {
    if (port_ == 0 || peers_.size() == kMostPeers) return;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    const int small = 8192;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    sockaddr_in from = Loopback(0, host);
    const sockaddr_in to = Loopback(port_);
    if (bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof(from)) != 0 ||
        (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0 && errno != EINPROGRESS)) {
      close(fd);
      return;
    }
    peers_.push_back(std::make_unique<Peer>(fd, true, netstack()));
  }

  void AcceptClients() {
    for (;;) {
      const int fd = accept4(Peers().fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      auto peer = std::make_unique<Peer>(fd, false, netstack());
      if (peers_.size() < kMostPeers) peers_.push_back(std::move(peer));
    }
  }

  static std::string Request(uint8_t bits) {
    std::string text =
        "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    text.append("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ").append(kKey).append("\r\n");
    if ((bits & 1) != 0) text += "Origin: http://www.example.com\r\n";
    if ((bits & 2) != 0) text += "Sec-WebSocket-Protocol: superchat, chat\r\n";
    if ((bits & 4) != 0) text += "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    if ((bits & 8) != 0) text += "X-Long: " + std::string(400, 'x') + "\r\n";
    return text + "\r\n";
  }

  static std::string Answer(const std::string& request, uint8_t bits) {
    const size_t at = request.find("Sec-WebSocket-Key: ");
    const std::string key = at == std::string::npos ? "" : request.substr(at + 19, 24);
    if (request.starts_with("CONNECT ")) return "HTTP/1.1 200 OK\r\n\r\n";
    std::string text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    text += "Sec-WebSocket-Accept: " + AcceptFor(key) + "\r\n";
    if ((bits & 2) != 0) text += "Sec-WebSocket-Protocol: chat\r\n";
    if ((bits & 4) != 0) text += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    if ((bits & 8) != 0) text += "X-Long: " + std::string(400, 'x') + "\r\n";
    return text + "\r\n";
  }

  std::string Frame(const Peer& peer, uint8_t first_byte, std::string payload) const {
    uint8_t header[kMaxFrameHeaderBytes];
    const uint8_t key[kMaskKeyBytes] = {1, 2, 3, 4};
    const size_t size =
        WriteFrameHeader(header, Opcode::kBinary, true, payload.size(), peer.is_client() ? key : nullptr);
    header[0] = first_byte;
    auto* bytes = reinterpret_cast<uint8_t*>(payload.data());
    if (peer.is_client()) MaskCopy(bytes, bytes, payload.size(), key, 0);
    return std::string(reinterpret_cast<const char*>(header), size) + payload;
  }

  std::string Filler() {
    const size_t size = size_t{16} * input_.Short();
    return std::string(size, static_cast<char>(input_.Byte()));
  }

  // ----------------------------------------------------------------------------------------------- steps

  void Step() {
    const uint8_t kind = input_.Byte();
    // The next one before the engine has looked.
    together_ = (kind & 128) != 0;
    const uint8_t choice = input_.Byte();
    AcceptClients();
    Peer* const peer = peers_.empty() ? nullptr : peers_[choice % peers_.size()].get();
    const uint32_t id = SomeId(choice);
    switch (kind % 32) {
      case 0:
        Listen();
        break;
      case 1:
        Connect();
        break;
      case 2:
      case 3:
        Dial(static_cast<uint8_t>(1 + choice % 3));
        break;
      case 4:
        Down((choice & 128) != 0 ? DownKind::kText : DownKind::kBinary, id, input_.Text(100));
        break;
      case 5:
        Down(DownKind::kBinary, id, Filler().substr(0, down_.max_payload()));
        break;
      case 6:
        Large((choice & 128) != 0 ? DownKind::kLargeText : DownKind::kLargeBinary, id, Filler());
        break;
      case 7:
        Down(DownKind::kClose, id, input_.Text(130), 1000, (choice & 128) != 0 ? 3000 : 0);
        break;
      case 8:
        Down(DownKind::kAbandon, id, "too slow", 1008);
        break;
      case 9:
        Down(DownKind::kDrainRequest, id);
        break;
      case 10:
        Down(DownKind::kStatsRequest, listener_);
        break;
      case 11:
        if ((choice & 7) == 0) Down(DownKind::kStop, listener_, "going", 1001);
        if ((choice & 7) == 1) Down(DownKind::kDrain, listener_, "going", 1001, 3000);
        break;
      case 12:  // of no kind, or about nobody
        if (choice == static_cast<uint8_t>(DownKind::kConnect) ||
            choice == static_cast<uint8_t>(DownKind::kListen))
          break;
        Down(static_cast<DownKind>(choice), 0x7fffffff, input_.Text(20), 0, 0xffffffff);
        break;
      case 13:
      case 14:
        ReadUp(choice);
        break;
      case 15:
        script_us += uint64_t{50'000} * choice;
        break;
      default:
        break;
    }
    if (peer == nullptr || kind % 32 < 16) return;
    switch (kind % 32) {
      case 16:
        peer->Write(input_.Text(100));
        break;
      case 17:
      case 18:
        peer->Write(peer->is_client() ? Request(input_.Byte()) : Answer(peer->head(), input_.Byte()));
        break;
      case 19: {  // the same, but for one change
        std::string head = peer->is_client() ? Request(input_.Byte()) : Answer(peer->head(), input_.Byte());
        const size_t at = input_.Short() % head.size();
        head.replace(at, input_.Below(40), input_.Text(40));
        peer->Write(head);
        break;
      }
      case 20:
      case 21:
      case 22: {
        const uint8_t first_byte = input_.Byte();
        peer->Write(Frame(*peer, first_byte, input_.Text(150)));
        break;
      }
      case 23: {
        const uint8_t first_byte = input_.Byte();
        peer->Write(Frame(*peer, first_byte, Filler()));
        break;
      }
      case 24: {  // the header alone, and some of the payload
        const uint8_t first_byte = input_.Byte();
        std::string frame = Frame(*peer, first_byte, Filler());
        peer->Write(frame.substr(0, 14U + input_.Below(256)));
        break;
      }
      case 25:
        for (int n = choice; n > 0; n -= 8) peer->Write(Frame(*peer, 0x89, "ping"));
        break;
      case 26:
        peer->End();
        break;
      case 27:
        peer->Reset();
        break;
      case 28:
        peer->Write(std::string(size_t{16} * input_.Short(), static_cast<char>(input_.Byte())));
        break;
      case 29: {  // many small ones, whose records need more room than they did on the wire
        const std::string frame = Frame(*peer, input_.Byte(), "");
        std::string many;
        for (size_t n = size_t{64} * choice; n > 0; --n) many += frame;
        peer->Write(many);
        break;
      }
      default:
        peer->Read();
        break;
    }
  }

  // JavaScript closes everything and reads all; the peers read, say nothing more, and time goes by.
  void Finish() {
    AcceptClients();
    for (const auto& peer : peers_) peer->Read();
    ReadUp(SIZE_MAX);
    // Again and again, as the ring may be full.
    if (rounds_ % 16 == 0) {
      Down(DownKind::kStop, listener_, "the end", 1001);
      for (const auto& [id, life] : lives_) {
        if (id != listener_ && (id & kJsOwnedId) != 0 && life < Life::kOver)
          Down(DownKind::kClose, id, "the end", 1000, 1000);
      }
    }
    const bool done =
        std::ranges::all_of(lives_, [](const auto& entry) { return entry.second == Life::kGone; });
    if (done) {
      stop_.store(true);
      return;
    }
    ++rounds_;
    script_us += 500'000;
    // The kernel may take its time with what has been sent.
    if (rounds_ > 100) usleep(1000);
    REQUIRE(rounds_ < 3000);
  }

  Input& input_;
  PayloadTable& up_payloads_;
  PayloadTable& down_payloads_;
  std::atomic<bool>& stop_;
  const std::unique_ptr<Poller> events_;
  std::vector<uint64_t> up_memory_;
  std::vector<uint64_t> down_memory_;
  RingConsumer up_;
  RingProducer down_;
  uint8_t options_ = 0;
  uint8_t server_options_ = 0;
  size_t steps_ = 0;
  size_t idle_ = 0;    // looks for events in a row that brought none, and no step
  size_t rounds_ = 0;  // of the end
  bool together_ = false;
  uint32_t next_id_ = 1;
  uint32_t listener_ = 0;
  uint16_t port_ = 0;
  std::map<uint32_t, Life> lives_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

// The lowest free one, which is the same before and after if none was left open.
int FreeDescriptor() {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(fd);
  return fd;
}

void Run(Input& input) {
  PayloadTable up_payloads;
  PayloadTable down_payloads;
  std::atomic<bool> stop = false;
  auto made = std::make_unique<Script>(input, up_payloads, down_payloads, stop);
  Script& script = *made;
  {
    Core core(
        script.up(), script.down(), up_payloads, down_payloads, [] {}, std::move(made));
    REQUIRE(core.Start());
    core.Run(stop);
  }
  REQUIRE(up_payloads.bytes() == 0 && down_payloads.bytes() == 0);
  REQUIRE(DeflateBudget::Process().used() == 0);
}

}  // namespace

void FuzzOne(Input input) {
  // What libwebsockets and OpenSSL open once and keep.
  static const bool warm = [] {
    script_us = kBeginUs;
    Input nothing({});
    Run(nothing);
    return true;
  }();
  static_cast<void>(warm);
  const int before = FreeDescriptor();
  script_us = kBeginUs;
  Run(input);
  script_us = 0;
  REQUIRE(FreeDescriptor() == before);
}

}  // namespace ohws::fuzz
