// The connections of our servers that are not WebSocket connections yet: until when each may take, and how
// much of its request has come. From the accepted socket, TLS included, to the upgrade. Engine thread.
#pragma once

#include <libwebsockets.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "protocol/head_meter.h"
#include "protocol/http_head.h"

namespace ohws {

class ServerListener;

class Handshakes {
 public:
  explicit Handshakes(lws_context* const& context) : context_(context) {}
  Handshakes(const Handshakes&) = delete;
  Handshakes& operator=(const Handshakes&) = delete;

  // Before the context that knows the timer goes away.
  void CancelTimer() { lws_sul_cancel(&timer_.timer); }

  // A connection was accepted.
  void Begin(lws* wsi, ServerListener& listener);
  // It has answered a request and waits for the next one: all begins again.
  void BeginAgain(lws* wsi);
  // Bytes of a head. kFits for a connection that is not one of ours.
  HeadMeter::Verdict Measure(lws* wsi, std::string_view bytes);
  // What has come of its request; null for a connection that is not one of ours.
  HttpHead* Request(lws* wsi);
  // The address that counts, where that is not the one of the TCP connection; empty if it is.
  void SetClient(lws* wsi, std::string ip);
  std::string_view Client(lws* wsi) const;
  // It has become a WebSocket connection, or is gone.
  void End(lws* wsi);
  // Those of one listener.
  std::vector<lws*> Of(const ServerListener& listener) const;
  // The listener goes away before its connections do.
  void Forget(const ServerListener& listener);

 private:
  struct Handshake {
    ServerListener* listener;
    uint64_t deadline_ms;
    HeadMeter head;
    HttpHead request;
    std::string client;
  };
  // lws gives the timer back, which is the first member.
  struct Timer {
    lws_sorted_usec_list_t timer;
    Handshakes* handshakes;
  };

  void Add(lws* wsi, ServerListener& listener);
  void SetTimer();
  void ServeDue();

  lws_context* const& context_;
  std::unordered_map<lws*, Handshake> handshakes_;
  std::set<std::pair<uint64_t, lws*>> due_;
  Timer timer_{{}, this};
};

}  // namespace ohws
