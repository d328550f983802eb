#include "script/script.h"

#include <fcntl.h>
#include <libwebsockets.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utility>

#include "protocol/deflate_codec.h"
#include "script/clock.h"

namespace ohws::fuzz {
namespace {

// The kernel takes its time with what has been sent; so long is waited for it.
constexpr int kKernelMs = 2;
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";

std::string AcceptFor(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char hash[20];
  lws_SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
  char base64[40];
  lws_b64_encode_string(reinterpret_cast<const char*>(hash), sizeof(hash), base64, sizeof(base64));
  return base64;
}

std::string Request(uint8_t bits) {
  std::string text = "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n";
  text.append("Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ").append(kKey);
  text += "\r\n";
  if ((bits & 1) != 0) text += "Origin: http://www.example.com\r\n";
  if ((bits & 2) != 0) text += "Sec-WebSocket-Protocol: superchat, chat\r\n";
  if ((bits & 4) != 0) text += "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
  if ((bits & 8) != 0) text += "X-Long: " + std::string(400, 'x') + "\r\n";
  if ((bits & 16) != 0) text += "X-Forwarded-For: 192.0.2.1, 127.0.0.1\r\n";
  if ((bits & 32) != 0) text += "Forwarded: for=\"[2001:db8::7]:80\", for=127.0.0.1\r\n";
  return text + "\r\n";
}

std::string Answer(const std::string& request, uint8_t bits) {
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

std::string Head(const Peer& peer, uint8_t bits) {
  return peer.is_client() ? Request(bits) : Answer(peer.head(), bits);
}

std::string Frame(const Peer& peer, uint8_t first_byte, std::string payload) {
  uint8_t header[kMaxFrameHeaderBytes];
  const uint8_t key[kMaskKeyBytes] = {1, 2, 3, 4};
  const size_t size =
      WriteFrameHeader(header, Opcode::kBinary, true, payload.size(), peer.is_client() ? key : nullptr);
  header[0] = first_byte;
  auto* bytes = reinterpret_cast<uint8_t*>(payload.data());
  if (peer.is_client()) MaskCopy(bytes, bytes, payload.size(), key, 0);
  return std::string(reinterpret_cast<const char*>(header), size) + payload;
}

// Many bytes that are few on the wire.
const std::string& Compressed() {
  static const std::string text = [] {
    DeflateBudget budget;
    const auto compressor = Compressor::Make({.window_bits = 9, .level = 6, .memory_level = 8}, budget);
    const std::vector<uint8_t> message(kMessageBytes, 'x');
    const Payload payload = compressor->Compress(message, false);
    return std::string(reinterpret_cast<const char*>(payload.data.get()), payload.size);
  }();
  return text;
}

std::string ProxyHeader(uint8_t choice) {
  std::string v2("\r\n\r\n\0\r\nQUIT\n", 12);
  switch (choice % 4) {
    case 0:
      return "PROXY TCP4 192.0.2.1 127.0.0.1 56324 443\r\n";
    case 1:
      return "PROXY UNKNOWN\r\n";
    case 2:
      return v2 + std::string("\x21\x11\0\x0c\xc0\0\2\1\x7f\0\0\1\1\2\3\4", 16);
    default:
      return v2 + std::string("\x20\0\0\0", 4);
  }
}

// Clients get nothing that others get too.
bool IsAccepted(uint32_t id) { return id != 0 && (id & kJsOwnedId) == 0; }

// As a server leaves its file that was killed.
void LeaveStaleFile() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  SocketPath().copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  close(fd);
}

}  // namespace

Script::Script(Input& input, PayloadTable& up_payloads, PayloadTable& down_payloads, std::atomic<bool>& stop)
    : input_(input),
      stop_(stop),
      options_(input),
      events_(CreateEpoll()),
      javascript_(options_, up_payloads, down_payloads),
      peers_(options_) {
  getrlimit(RLIMIT_NOFILE, &descriptors_);
  if (options_.finds_stale_file()) LeaveStaleFile();
}

// The engine has gone before.
Script::~Script() {
  const bool is_left = unlink(SocketPath().c_str()) == 0;
  REQUIRE(!is_left || options_.finds_stale_file());
}

void Script::Watch(int fd, uint32_t generation, Mode mode, bool read, bool write) {
  // An open connection, whose socket shall be full soon.
  const int small = 16'384;
  if (mode == Mode::kEdge) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
  events_->Watch(fd, generation, mode, read, write);
}

size_t Script::Wait(std::span<Event> events, int timeout_ms) {
  const size_t count = events_->Wait(events, under_way_ ? kKernelMs : 0);
  under_way_ = false;
  if (count != 0) {
    idle_ = 0;
    if (hurries_ && steps_++ < kMostSteps && !input_.empty()) Step();
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

void Script::Step() {
  const uint8_t kind = input_.Byte();
  // The next one before the engine has looked.
  together_ = (kind & 128) != 0;
  // Or while it does.
  hurries_ = (kind & 64) != 0;
  const uint8_t choice = input_.Byte();
  peers_.AcceptAndGoOn();
  if (kind % 64 < 32) {
    StepOfJavaScript(kind % 64, choice);
  } else if (Peer* peer = peers_.Some(choice)) {
    StepOfPeer(*peer, kind % 32, choice);
    under_way_ = true;
  }
}

// Up to a mebibyte of the same byte, or of such as cannot be compressed.
std::string Script::Filler() {
  std::string text(size_t{16} * input_.Short(), '\0');
  const uint8_t byte = input_.Byte();
  uint32_t state = byte;
  for (char& c : text) {
    if (byte >= 250) state = state * 1'664'525 + 1'013'904'223;
    c = static_cast<char>(byte >= 250 ? state >> 24 : byte);
  }
  return text;
}

void Script::StepOfJavaScript(uint8_t kind, uint8_t choice) {
  const uint32_t id = javascript_.SomeId(choice);
  const bool text = (choice & 128) != 0;
  switch (kind) {
    case 0:
      javascript_.Listen();
      break;
    case 1: {
      const uint8_t bits = input_.Byte();
      javascript_.Connect(ConnectStrings(options_, bits, input_.Byte(), Peers::Ports()));
      break;
    }
    case 2:
    case 3:
      peers_.Dial(javascript_.port(), choice);
      under_way_ = true;
      break;
    case 4:
      javascript_.Say(text ? DownKind::kText : DownKind::kBinary, id, input_.Text(100));
      break;
    case 5:
      if (text) {
        at_once_id_ = id;
        at_once_ = Filler();
        stop_.store(true);
      } else {
        javascript_.Say(DownKind::kBinary, id, Filler().substr(0, javascript_.max_payload()));
      }
      break;
    case 6:
      javascript_.SayLarge(text ? DownKind::kLargeText : DownKind::kLargeBinary, id, Filler());
      break;
    case 7:
      javascript_.Say(DownKind::kClose, id, input_.Text(130), 1000, text ? 3000 : 0);
      break;
    case 8:
      javascript_.Say(DownKind::kAbandon, id, "too slow", 1008);
      break;
    case 9:
      javascript_.Say(DownKind::kDrainRequest, id);
      break;
    case 10:  // many, so that the ring is full
      for (int n = 0; n <= choice; ++n) javascript_.Tell(DownKind::kStatsRequest);
      break;
    case 11:
      if ((choice & 7) == 0) javascript_.Tell(DownKind::kStop, "going", 1001);
      if ((choice & 7) == 1) javascript_.Tell(DownKind::kDrain, "going", 1001, 3000);
      break;
    case 12:  // of no kind, or about nobody
      if (choice == static_cast<uint8_t>(DownKind::kConnect) ||
          choice == static_cast<uint8_t>(DownKind::kListen))
        break;
      javascript_.Say(static_cast<DownKind>(choice), 0x7fffffff, input_.Text(20), 0, 0xffffffff);
      break;
    case 13:
    case 14:
      javascript_.Read(choice);
      break;
    case 15:
      script_us += uint64_t{50'000} * choice;
      break;
    case 17:
      SendAgain(id, text);
      break;
    case 16:
      if (IsAccepted(id)) javascript_.Say(DownKind::kSubscribe, id, {}, 0, choice % 3);
      break;
    case 18:
      javascript_.Say(DownKind::kUnsubscribe, id, {}, 0, choice % 3);
      break;
    case 19:
    case 20:
      Publish(choice, kind == 20);
      break;
    case 21:
      javascript_.Say(DownKind::kPublishedRequest, 0);
      break;
    case 22:
      javascript_.Say(DownKind::kPause, id, {}, 0, choice & 1);
      break;
    case 23:
      javascript_.Say(DownKind::kPing, id, input_.Text(125));
      break;
    case 24:
      javascript_.Say(DownKind::kTerminate, id, "no more", 1006);
      break;
    case 25:
      javascript_.Watch(choice & (kWatchPings | kWatchPongs));
      break;
    case 26:
    case 27:
      javascript_.AnswerUpgrade(choice);
      break;
    case 28:
      javascript_.Reload(choice);
      break;
    case 29:
      javascript_.Tell(DownKind::kAccept);
      break;
    case 30:
      RunOutOfDescriptors((choice & 1) != 0);
      break;
    default:
      script_us += uint64_t{500'000} * choice;
      break;
  }
}

void Script::SendAtOnce(Core& core) {
  const uint32_t id = std::exchange(at_once_id_, 0);
  if (id == 0) return;
  core.Serve();
  const std::span bytes(reinterpret_cast<const uint8_t*>(at_once_.data()), at_once_.size());
  if (!core.SendNow(id, bytes)) javascript_.SayLarge(DownKind::kLargeBinary, id, at_once_);
  // It is not there any longer.
  at_once_.assign(at_once_.size(), 'x');
  core.WaitMs();
}

// A text to keep, or the one that was kept.
void Script::SendAgain(uint32_t id, bool anew) {
  if (!IsAccepted(id)) return;
  if (anew) {
    const std::string kept = Filler().substr(0, javascript_.max_payload());
    keeps_text_ |= javascript_.Say(DownKind::kText, id, kept, 0, 1);
  } else if (keeps_text_) {
    javascript_.Say(DownKind::kSameText, id);
  }
}

void Script::Publish(uint8_t choice, bool large) {
  const uint32_t topic = choice % 3;
  const uint32_t except = (choice & 4) != 0 ? javascript_.SomeId(choice) : 0;
  const bool text = (choice & 8) != 0;
  if (!large) {
    const DownKind kind = text ? DownKind::kPublishText : DownKind::kPublishBinary;
    javascript_.Say(kind, topic, input_.Text(100), 0, except);
    return;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(&except), sizeof(except));
  const DownKind kind = text ? DownKind::kPublishLargeText : DownKind::kPublishLargeBinary;
  javascript_.SayLarge(kind, topic, Filler(), bytes);
}

void Script::StepOfPeer(Peer& peer, uint8_t kind, uint8_t choice) {
  switch (kind) {
    case 0:
      peer.Write(input_.Text(100));
      break;
    case 1:
    case 2:
      peer.Write(Head(peer, input_.Byte()));
      break;
    case 3: {  // the same, but for one change
      std::string head = Head(peer, input_.Byte());
      const size_t at = input_.Short() % head.size();
      head.replace(at, input_.Below(40), input_.Text(40));
      peer.Write(head);
      break;
    }
    case 4:
    case 5:
    case 6: {
      const uint8_t first_byte = input_.Byte();
      peer.Write(Frame(peer, first_byte, input_.Text(150)));
      break;
    }
    case 7: {
      const uint8_t first_byte = input_.Byte();
      peer.Write(Frame(peer, first_byte, Filler()));
      break;
    }
    case 8: {  // the header alone, and some of the payload
      const uint8_t first_byte = input_.Byte();
      peer.Write(Frame(peer, first_byte, Filler()).substr(0, 14U + input_.Below(256)));
      break;
    }
    case 9:
      for (int n = choice; n > 0; n -= 8) peer.Write(Frame(peer, 0x89, "ping"));
      break;
    case 10:
      peer.End(true);
      break;
    case 11:
      peer.Reset();
      break;
    case 12:
      peer.Write(Filler());
      break;
    case 13: {  // many small ones, whose records need more room than they did on the wire
      const std::string frame = Frame(peer, input_.Byte(), "");
      std::string many;
      for (size_t n = size_t{64} * choice; n > 0; --n) many += frame;
      peer.Write(many);
      break;
    }
    case 14:
      peer.End(false);
      break;
    case 15:
      peer.WriteBelow(input_.Text(100));
      break;
    case 16:
      peer.Write(ProxyHeader(input_.Byte()));
      break;
    case 17:
      for (int n = choice; n > 0; n -= 16) peer.Write(Frame(peer, 0xc2, Compressed()));
      break;
    case 18: {  // a close frame
      const uint16_t code = input_.Short();
      peer.Write(
          Frame(peer, 0x88,
                std::string({static_cast<char>(code >> 8), static_cast<char>(code)}) + input_.Text(123)));
      break;
    }
    case 31:
      peers_.DialCrowd(javascript_.port(), Request(input_.Byte()));
      break;
    default:
      peer.Read(kKernelMs);
      break;
  }
}

void Script::RunOutOfDescriptors(bool out) {
  rlimit limit = descriptors_;
  if (out) {
    const int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (lowest < 0) return;
    close(lowest);
    limit.rlim_cur = static_cast<rlim_t>(lowest);
  }
  setrlimit(RLIMIT_NOFILE, &limit);
}

void Script::Finish() {
  RunOutOfDescriptors(false);
  peers_.AcceptAndGoOn();
  peers_.ReadAll();
  javascript_.Read(SIZE_MAX);
  // Again and again, as the ring may be full.
  if (rounds_ % 16 == 0) javascript_.CloseAll();
  if (javascript_.AllGone()) {
    finished_ = true;
    stop_.store(true);
    return;
  }
  ++rounds_;
  script_us += 500'000;
  if (rounds_ > 100) usleep(1000);
  REQUIRE(rounds_ < 3000);
}

}  // namespace ohws::fuzz
