// The connections of our servers that are not WebSocket connections yet: until when each may take, and how
// much of its request has come. From the accepted socket, TLS included, to the upgrade. Engine thread.
#pragma once

#include <libwebsockets.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/listening_socket.h"
#include "protocol/head_meter.h"
#include "protocol/http_head.h"
#include "protocol/timing_wheel.h"

namespace ohws {

class ServerListener;

class Handshakes {
 public:
  // Of heads that have not come whole, or whose upgrade JavaScript thinks about: room for 2,048 of the
  // largest.
  static constexpr size_t kMostKeptBytes = size_t{64} * 1024 * 1024;

  explicit Handshakes(TimingWheel& deadlines) : deadlines_(deadlines) {}
  Handshakes(const Handshakes&) = delete;
  Handshakes& operator=(const Handshakes&) = delete;

  // A connection of this peer was accepted.
  void Begin(lws* wsi, ServerListener& listener, Peer peer);
  // It has answered a request and waits for the next one: all begins again.
  void BeginAgain(lws* wsi);
  // Bytes of a head. kFits for a connection that is not one of ours.
  HeadMeter::Verdict Measure(lws* wsi, std::string_view bytes);
  // So many more bytes of its head are kept until the handshake goes on. False: it is too much, of all of
  // them together.
  bool Keep(lws* wsi, size_t bytes);
  // What has come of its request; null for a connection that is not one of ours.
  HttpHead* Request(lws* wsi);
  // The other end of its TCP connection; of nobody for a connection that is not one of ours.
  const Peer& PeerOf(lws* wsi) const;
  // The address that counts, where that is not the one of the TCP connection; empty if it is.
  void SetClient(lws* wsi, std::string ip);
  std::string_view Client(lws* wsi) const;
  // Its request was let in by the limits, and counts for them under this address until it is taken from here.
  void SetCounted(lws* wsi, std::string ip);
  // Nothing if it does not count.
  std::optional<std::string> TakeCounted(lws* wsi);
  // It has become a WebSocket connection, or is gone.
  void End(lws* wsi);
  // It is over at this moment, for one or for those of a listener; who was told already is not told again.
  void MakeDue(lws* wsi, uint64_t at_ms);
  void MakeDue(const ServerListener& listener, uint64_t at_ms);
  // The listener goes away before its connections do.
  void Forget(const ServerListener& listener);

 private:
  struct Handshake final : Timer {
    Handshake(lws* of, ServerListener& by, Peer of_peer, size_t& kept_of_all);
    Handshake(const Handshake&) = delete;
    Handshake& operator=(const Handshake&) = delete;
    ~Handshake() { all_kept_bytes -= kept_bytes; }
    // It counts until it is gone, but is told only once.
    void OnDue(uint64_t now_ms) override;

    lws* const wsi;
    ServerListener* const listener;
    const Peer peer;
    size_t& all_kept_bytes;
    size_t kept_bytes = 0;
    HeadMeter head;
    HttpHead request;
    std::string client;
    std::optional<std::string> counted;
  };

  void Add(lws* wsi, ServerListener& listener, Peer&& peer);

  TimingWheel& deadlines_;
  size_t kept_bytes_ = 0;
  std::unordered_map<lws*, Handshake> handshakes_;
};

}  // namespace ohws
