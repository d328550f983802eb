// Reads the strings of a kListen record. Any thread.
#include "engine/server_config.h"

#include <charconv>
#include <utility>

#include "wire/record.h"

namespace ohws {

ServerConfig ServerConfig::Decode(std::string_view strings) {
  ServerConfig config;
  EndpointLimits limits;
  bool rate_limit = false;
  StringListReader reader(strings);
  const auto number = [](std::string_view text) {
    uint32_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  while (const auto name = reader.Next()) {
    if (config.tls.Set(*name, reader)) continue;
    const std::string value(reader.Next().value_or(""));
    if (*name == "listen") {
      config.listen.emplace_back();
    } else if (*name == "listenOption" && !config.listen.empty()) {
      config.listen.back().Set(value, reader.Next().value_or(""));
    } else if (*name == "protocol") {
      config.protocols.push_back(value);
    } else if (*name == "maxClients") {
      config.admission.max_clients = number(value);
    } else if (*name == "maxConnectionsPerClient") {
      config.admission.max_connections_per_client = number(value);
    } else if (*name == "connectRateLimit") {
      rate_limit = value == "1";
    } else if (*name == "lendsBinary") {
      limits.lend_binary = value == "1";
    } else if (*name == "holds") {
      config.holds = value == "1";
    } else if (*name == "admissionName") {
      config.admission_name = value;
    } else if (*name == "limit") {
      limits.Set(value, reader.Next().value_or(""));
    } else if (*name == "ratePolicy") {
      limits.rate_policy = value == "close"    ? RatePolicy::kClose
                           : value == "refuse" ? RatePolicy::kRefuse
                                               : RatePolicy::kDelay;
    } else if (*name == "allowedOrigins") {
      config.allowed_origins.emplace();
    } else if (*name == "allowedOrigin") {
      config.allowed_origins->push_back(value);
    } else if (*name == "deflate") {
      if (!config.deflate.has_value()) config.deflate.emplace();
      config.deflate->Set(value, number(reader.Next().value_or("")));
    } else if (*name == "trustedProxy") {
      if (const auto network = IpNetwork::Parse(value)) config.trusted_proxies.push_back(*network);
    } else if (*name == "proxyHeader") {
      config.proxy_source = value == "forwarded"        ? ProxySource::kForwarded
                            : value == "proxy-protocol" ? ProxySource::kProxyProtocol
                                                        : ProxySource::kForwardedFor;
    } else if (*name == "asksUpgrades") {
      config.asks_upgrades = value == "1";
    } else if (*name == "keepsHeaders") {
      config.keeps_headers = value == "1";
    } else if (*name == "rules") {
      config.netstack = value == "netstack";
    }
  }
  config.admission.max_connections = limits.connections;
  if (limits.connections_per_minute != kNoLimit) {
    config.admission.rate = ConnectRateLimit{.max_upgrades = limits.connections_per_minute};
  } else if (rate_limit) {
    config.admission.rate.emplace();
  }
  limits.message.validate_utf8 = !config.netstack;
  config.limits = std::make_shared<const EndpointLimits>(limits);
  return config;
}

}  // namespace ohws
