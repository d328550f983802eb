// An engine whose turns are taken by the test, on its thread, with a real event loop and real sockets; the
// test is JavaScript and the peers. EngineHere is the core alone, WholeEngine has all that libuv's loop sees.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check.h"
#include "engine/core.h"
#include "engine/engine.h"
#include "engine/poller.h"
#include "wire/payload_table.h"
#include "wire/ring.h"

namespace ohws::check {

// JavaScript's ends of the rings.
class JavaScriptHere {
 public:
  struct Record {
    UpKind kind;
    uint8_t flags;
    uint32_t id;
    uint32_t arg;
    std::string payload;

    struct Place {
      uint32_t offset;
      uint32_t size;
    };
    // Of a kLentBinary.
    Place LentPlace() const {
      Place place{};
      CHECK_EQ(payload.size(), sizeof(place));
      std::memcpy(&place, payload.data(), sizeof(place));
      return place;
    }
  };

  JavaScriptHere() = default;
  JavaScriptHere(const JavaScriptHere&) = delete;
  JavaScriptHere& operator=(const JavaScriptHere&) = delete;
  virtual ~JavaScriptHere() = default;

  void Say(DownKind kind, std::string_view payload = {}, uint16_t aux = 0, uint32_t arg = 0) {
    const RecordHeader header{
        static_cast<uint8_t>(kind), 0, aux, kListener, static_cast<uint32_t>(payload.size()), arg};
    CHECK(down_.TryWrite(header, payload));
    down_.Publish();
  }

  // Listens on a free port of 127.0.0.1, with these options besides, which come last.
  uint16_t Listen(std::initializer_list<std::string_view> more) {
    using Pair = std::pair<std::string_view, std::string_view>;
    StringListWriter options;
    options.Add("listen").Add("").Add("maxClients").Add("1000").Add("maxConnectionsPerClient").Add("1000");
    for (const auto& [name, value] : {Pair{"ip", "127.0.0.1"}, {"port", "0"}, {"backlog", "1024"}}) {
      options.Add("listenOption").Add(name).Add(value);
    }
    for (const auto& [name, value] : {Pair{"messageBytes", "1000"},
                                      {"messageFragments", "10"},
                                      {"pendingControlFrames", "10"},
                                      {"queuedBytes", "1000"},
                                      {"closeTimeoutMs", "60000"},
                                      {"handshakeTimeoutMs", "60000"},
                                      {"headerBytes", "16384"},
                                      {"headerLines", "20"},
                                      {"handshakes", "1000"},
                                      {"connections", "Infinity"},
                                      {"connectionsPerMinute", "Infinity"}}) {
      options.Add("limit").Add(name).Add(value);
    }
    for (const std::string_view text : more) options.Add(text);
    Say(DownKind::kListen, options.bytes());
    const std::vector<Record> up = TurnsUntil(UpKind::kListening, 1);
    StringListReader strings(std::ranges::find(up, UpKind::kListening, &Record::kind)->payload);
    CHECK(strings.Next().value_or("?").empty());
    return static_cast<uint16_t>(std::atoi(std::string(strings.Next().value_or("")).c_str()));
  }

  // A number of the listener's statistics.
  uint64_t Stat(std::string_view wanted) {
    Say(DownKind::kStatsRequest);
    const std::vector<Record> up = TurnsUntil(UpKind::kStats, 1);
    StringListReader strings(std::ranges::find(up, UpKind::kStats, &Record::kind)->payload);
    while (const auto name = strings.Next()) {
      const std::string value(strings.Next().value_or(""));
      if (*name == wanted) return std::strtoull(value.c_str(), nullptr, 10);
    }
    CHECK(!"there is such a number");
    return 0;
  }

  // One turn: what JavaScript has heard of it.
  std::vector<Record> Turn(int wait_ms = 0) {
    TakeTurn(wait_ms);
    return Look();
  }

  // What JavaScript has heard since it looked last.
  std::vector<Record> Look() {
    std::vector<Record> records;
    RecordHeader header{};
    uint8_t* payload = nullptr;
    do {
      while (up_.Next(header, payload)) {
        records.push_back({static_cast<UpKind>(header.kind), header.flags, header.id, header.arg,
                           std::string(reinterpret_cast<const char*>(payload), header.size)});
        if (records.back().kind == UpKind::kLentBinary) lent_read_ += records.back().LentPlace().size;
      }
      Ring(up_memory_).lent_read().store(lent_read_);
      up_.Release();
    } while (!up_.TrySleep());
    return records;
  }

  // Turns until so many of this kind have come; all records of them. A test that waits in vain is ended by
  // ctest.
  std::vector<Record> TurnsUntil(UpKind kind, size_t count) {
    std::vector<Record> all;
    while (count > 0) {
      for (Record& record : Turn(10)) {
        if (record.kind == kind && count > 0) --count;
        all.push_back(std::move(record));
      }
    }
    return all;
  }

 protected:
  RingMemory UpRing() { return Ring(up_memory_); }
  RingMemory DownRing() { return Ring(down_memory_); }
  virtual void TakeTurn(int wait_ms) = 0;

 private:
  static constexpr uint32_t kListener = kJsOwnedId | 1;
  static constexpr uint32_t kRingBytes = kRingHeadBytes + 1024 * 1024;

  static RingMemory Ring(std::vector<uint64_t>& memory) {
    memory.resize(kRingBytes / sizeof(uint64_t));
    return {reinterpret_cast<uint8_t*>(memory.data()), kRingBytes};
  }

  std::vector<uint64_t> up_memory_;
  std::vector<uint64_t> down_memory_;
  RingConsumer up_{Ring(up_memory_)};
  RingProducer down_{Ring(down_memory_)};
  uint32_t lent_read_ = 0;
};

class EngineHere final : public JavaScriptHere {
 public:
  EngineHere() {
    if (core_.Start()) return;
    std::printf("the engine does not start\n");
    std::exit(EXIT_FAILURE);
  }

  Core& core() { return core_; }
  PayloadTable& up_payloads() { return up_payloads_; }

 private:
  void TakeTurn(int wait_ms) override {
    core_.Serve();
    core_.Receive(wait_ms, Core::kNoBatch);
  }

  PayloadTable up_payloads_;
  PayloadTable down_payloads_;
  Core core_{UpRing(), DownRing(), up_payloads_, down_payloads_, [] {}, Poller::CreatePoll(), true};
};

class WholeEngine final : public JavaScriptHere {
 public:
  WholeEngine() { CHECK(engine_.Start(Engine::Host::kJavaScript)); }

  Engine& engine() { return engine_; }

 private:
  void TakeTurn(int wait_ms) override {
    engine_.Wake();
    pollfd due{engine_.descriptor(), POLLIN, 0};
    if (poll(&due, 1, wait_ms) > 0) engine_.TakeTurn();
  }

  Engine engine_{UpRing(), DownRing(), [] {}, true};
};

// A client's end of a TCP connection.
class Client {
 public:
  explicit Client(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    CHECK(fcntl(fd_, F_SETFL, O_NONBLOCK) == 0);
  }
  Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() {
    if (fd_ >= 0) close(fd_);
  }

  void Send(std::string_view bytes) const {
    CHECK(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  void Reset() {
    const linger at_once{1, 0};
    CHECK(setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
    close(std::exchange(fd_, -1));
  }
  // What has come by now.
  std::string Receive() const {
    char bytes[4096];
    const ssize_t got = recv(fd_, bytes, sizeof(bytes), 0);
    return {bytes, got > 0 ? static_cast<size_t>(got) : 0};
  }
  bool Ended() const {
    char byte = 0;
    return recv(fd_, &byte, 1, MSG_PEEK) == 0;
  }

 private:
  int fd_;
};

inline constexpr std::string_view kUpgrade =
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

}  // namespace ohws::check
