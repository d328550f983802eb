// The upgrade requests of one listener that JavaScript decides on: who waits for its word, and what it said.
// Such a connection is held behind its request's head, and counts for the limits from there on (Handshakes).
// Engine thread.
#pragma once

#include <libwebsockets.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/loop.h"
#include "wire/record.h"

namespace ohws {

class ServerListener;

class UpgradeRequests {
 public:
  // Hears from the loop that its client has gone, as long as it is held.
  struct Request final : SocketHandler {
    Request(ServerListener& by, Loop& in, lws* of, uint32_t number)
        : listener(by), loop(in), wsi(of), id(number) {}
    void OnSocketEvent(bool readable, bool ended) override;

    ServerListener& listener;
    Loop& loop;
    lws* const wsi;
    const uint32_t id;
    bool accepted = false;
    // Of the answer, once accepted: the subprotocol, empty for none; nothing leaves it to the server.
    std::optional<std::string> subprotocol;
    std::string header_lines;
  };

  // Waits from now on.
  Request& Add(ServerListener& listener, Loop& loop, lws* wsi);
  // Null for a connection that JavaScript was not asked about, or has been answered by us.
  Request* Find(lws* wsi);
  // Whose request it is; null if it is gone.
  lws* Find(uint32_t id) const;
  // It is over: its id, 0 if there was none.
  uint32_t Remove(lws* wsi);
  std::vector<lws*> All() const;

 private:
  std::unordered_map<lws*, Request> requests_;
  std::unordered_map<uint32_t, lws*> by_id_;
  uint32_t last_id_ = 0;
};

// What JavaScript has said. kUpgradeAnswer has the status, or 0 for the acceptance, and strings: of an
// acceptance ["1" with a subprotocol, else "0", the subprotocol, name, value, ...]; of a refusal [body, name,
// value, ...]. JavaScript has checked names and values; what could break out of a header is left out here all
// the same.
void ReadAcceptance(std::string_view strings, UpgradeRequests::Request& request);
std::string BuildRefusal(uint16_t status, std::string_view strings);

}  // namespace ohws
