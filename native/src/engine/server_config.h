// What JavaScript wants of a server. Pure values; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/listening_socket.h"
#include "engine/server_tls.h"
#include "protocol/admission.h"
#include "protocol/deflate_negotiation.h"
#include "protocol/ip_network.h"
#include "protocol/limits.h"

namespace ohws {

// Where trusted proxies say whom they speak for.
enum class ProxySource : uint8_t { kForwardedFor, kForwarded, kProxyProtocol };

// lib/transport.ts, ServerConfig; the record carries these names and values.
struct ServerConfig {
  std::vector<ListenAddress> listen;
  ServerTlsConfig tls;
  std::vector<std::string> protocols;
  AdmissionLimits admission;
  bool holds = false;          // accepts nobody before Accept()
  std::string admission_name;  // of a server of several threads, whose listeners share the limits
  std::shared_ptr<const EndpointLimits> limits;
  std::optional<std::vector<std::string>> allowed_origins;  // without it every origin is
  bool netstack = false;                                    // the rules: netstack's, or the documented ones
  std::optional<DeflateOptions> deflate;                    // without it offers of compression are declined
  std::vector<IpNetwork> trusted_proxies;
  ProxySource proxy_source = ProxySource::kForwardedFor;
  bool asks_upgrades = false;  // JavaScript decides on upgrade requests
  bool keeps_headers = false;  // JavaScript gets those of every connection

  static ServerConfig Decode(std::string_view strings);
};

}  // namespace ohws
