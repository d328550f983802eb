#include "connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "failure.h"
#include "handshake.h"

namespace ohws::bench {
namespace {

// Frames up to here are copied together; of longer ones the bodies are sent from where they lie.
constexpr size_t kMaxCopiedFrameBytes = 4096;
constexpr size_t kSendBytes = 64 * 1024;
constexpr size_t kGatheredFrames = 32;

constexpr uint8_t kClose = 8;
constexpr uint8_t kPong = 10;

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

Connection::Connection(const Payload& payload, uint32_t index, uint32_t inflight)
    : payload_(&payload),
      index_(index),
      checker_(payload, index),
      queued_at_ns_(std::bit_ceil(inflight)),
      queued_at_mask_(queued_at_ns_.size() - 1) {}

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

void Connection::Connect(uint16_t port) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) Fail(std::string("socket: ") + std::strerror(errno));
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0 &&
      errno != EINPROGRESS) {
    Fail(std::string("connect: ") + std::strerror(errno));
  }
}

void Connection::SendUpgradeRequest(uint16_t port, std::string_view path) {
  int error = 0;
  socklen_t error_bytes = sizeof(error);
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &error_bytes);
  if (error != 0) Fail(std::string("connect: ") + std::strerror(error));
  key_ = MakeKey();
  const std::string request = UpgradeRequest(port, path, key_);
  if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    Fail("the upgrade request could not be sent");
  }
  state_ = State::kUpgrading;
}

void Connection::Take(std::string_view bytes) {
  if (state_ == State::kUpgrading) {
    upgrade_response_.append(bytes);
    const size_t head = CheckUpgradeResponse(upgrade_response_, key_);
    if (head == 0) return;
    state_ = State::kOpen;
    const std::string frames = std::exchange(upgrade_response_, {}).substr(head);
    checker_.Take(frames);
  } else {
    checker_.Take(bytes);
  }

  const std::string pings = checker_.TakePings();
  for (size_t at = 0; at < pings.size();) {
    const size_t size = static_cast<uint8_t>(pings[at]);
    QueueControl(kPong, std::string_view(pings).substr(at + 1, size));
    at += 1 + size;
  }
  if (checker_.closed()) {
    if (state_ != State::kClosing) Fail("the server closed the connection");
    state_ = State::kDone;
  }
}

bool Connection::Flush() { return FlushControl() && FlushMessages() && FlushControl(); }

bool Connection::FlushMessages() {
  const uint64_t target = sent_ * payload_->client_frame_bytes();
  const bool copied = payload_->client_frame_bytes() <= kMaxCopiedFrameBytes;
  while (written_bytes_ < target) {
    const long taken = copied ? SendCopied(target) : SendGathered(target);
    if (taken < 0) {
      if (WouldBlock()) return false;
      Fail(std::string("send: ") + std::strerror(errno));
    }
    written_bytes_ += static_cast<uint64_t>(taken);
  }
  return true;
}

long Connection::SendCopied(uint64_t target) {
  static std::array<char, kSendBytes> buffer;
  const size_t frame_bytes = payload_->client_frame_bytes();
  const size_t skip = written_bytes_ % frame_bytes;
  const size_t count = std::min((target - written_bytes_ + skip) / frame_bytes, kSendBytes / frame_bytes);
  uint32_t sequence = static_cast<uint32_t>(written_bytes_ / frame_bytes);
  char* out = buffer.data();
  for (size_t i = 0; i < count; ++i, ++sequence) {
    payload_->WriteHead(index_, sequence, out);
    std::memcpy(out + payload_->head_bytes(), payload_->MaskedBody(index_, sequence), payload_->body_bytes());
    out += frame_bytes;
  }
  return send(fd_, buffer.data() + skip, count * frame_bytes - skip, MSG_NOSIGNAL);
}

long Connection::SendGathered(uint64_t target) {
  const size_t frame_bytes = payload_->client_frame_bytes();
  const size_t skip = written_bytes_ % frame_bytes;
  const size_t count = std::min((target - written_bytes_ + skip) / frame_bytes, kGatheredFrames);
  uint32_t sequence = static_cast<uint32_t>(written_bytes_ / frame_bytes);
  std::array<std::array<char, kMaxHeadBytes>, kGatheredFrames> heads;
  std::array<iovec, 2 * kGatheredFrames> parts;
  for (size_t i = 0; i < count; ++i, ++sequence) {
    payload_->WriteHead(index_, sequence, heads[i].data());
    parts[2 * i] = {heads[i].data(), payload_->head_bytes()};
    parts[2 * i + 1] = {const_cast<char*>(payload_->MaskedBody(index_, sequence)), payload_->body_bytes()};
  }

  // What of the first frame has left already.
  const size_t skip_head = std::min(skip, payload_->head_bytes());
  parts[0] = {heads[0].data() + skip_head, parts[0].iov_len - skip_head};
  const size_t skip_body = skip - skip_head;
  parts[1] = {static_cast<char*>(parts[1].iov_base) + skip_body, parts[1].iov_len - skip_body};

  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = 2 * count;
  return sendmsg(fd_, &message, MSG_NOSIGNAL);
}

bool Connection::FlushControl() {
  if (control_.empty()) return true;
  if (written_bytes_ % payload_->client_frame_bytes() != 0) return true;  // inside a message
  const ssize_t taken = send(fd_, control_.data(), control_.size(), MSG_NOSIGNAL);
  if (taken < 0 && !WouldBlock()) Fail(std::string("send: ") + std::strerror(errno));
  if (taken > 0) control_.erase(0, static_cast<size_t>(taken));
  return control_.empty();
}

void Connection::QueueClose() {
  QueueControl(kClose, "\x03\xe8");  // 1000
  state_ = State::kClosing;
}

void Connection::QueueControl(uint8_t opcode, std::string_view payload) {
  constexpr std::string_view kKey = "ohws";
  control_.push_back(static_cast<char>(0x80 | opcode));
  control_.push_back(static_cast<char>(0x80 | payload.size()));
  control_.append(kKey);
  for (size_t i = 0; i < payload.size(); ++i) {
    control_.push_back(static_cast<char>(payload[i] ^ kKey[i % 4]));
  }
}

void Connection::OnEnd() {
  if (state_ == State::kClosing) Fail("TCP end instead of a close frame");
  if (state_ != State::kDone) {
    Fail("TCP end with " + std::to_string(sent_ - echoed()) + " messages under way");
  }
}

void Connection::Fail(const std::string& what) const {
  throw Failure("connection " + std::to_string(index_) + ": " + what);
}

}  // namespace ohws::bench
