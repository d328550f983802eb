#include "script/endpoints.h"

#include <unistd.h>

#include "script/certificates.h"

namespace ohws::fuzz {
namespace {

void AddLimit(StringListWriter& strings, std::string_view name, std::string_view value) {
  strings.Add("limit").Add(name).Add(value);
}

void AddCommon(StringListWriter& strings, const Options& options, uint8_t bits) {
  strings.Add("rules").Add(options.netstack() ? "netstack" : "documented");
  strings.Add("lendsBinary").Add((options.rules & 64) != 0 ? "1" : "0");
  AddLimit(strings, "messageBytes", std::to_string(kMessageBytes));
  AddLimit(strings, "messageFragments", (bits & 1) != 0 ? "3" : "1000");
  AddLimit(strings, "pendingControlFrames", (bits & 2) != 0 ? "2" : "1000");
  AddLimit(strings, "queuedBytes", "100000");
  AddLimit(strings, "closeTimeoutMs", "5000");
  AddLimit(strings, "handshakeTimeoutMs", "10000");
  AddLimit(strings, "headerBytes", (bits & 4) != 0 ? "300" : "16384");
  AddLimit(strings, "headerLines", "20");
  if ((bits & 8) != 0) {
    const bool strict = (bits & 16) != 0;
    strings.Add("deflate").Add("threshold").Add("16");
    strings.Add("deflate").Add("serverNoContextTakeover").Add(strict ? "1" : "0");
    strings.Add("deflate").Add("clientMaxWindowBits").Add(strict ? "9" : "15");
  }
}

void AddTls(StringListWriter& strings, const Options& options, uint8_t choice) {
  const Certificates& files = Certificates::Get();
  const auto certificate = [&strings](const std::string& cert, const std::string& key,
                                      const std::string& password) -> StringListWriter& {
    return strings.Add("certificate").Add(cert).Add(key).Add(password);
  };
  switch (choice % 8) {
    case 0:
      certificate(files.garbage_path, files.server.key_path, "").Add("0");
      break;
    case 1:
      certificate(files.server.cert_path, files.client.key_path, "").Add("0");
      break;
    case 2:
      certificate(files.server.cert_path, files.encrypted_key_path, "wrong").Add("0");
      break;
    case 3:
      certificate(files.server.cert_path, files.encrypted_key_path, files.password).Add("0");
      break;
    case 4:
      certificate(files.second_server.cert_path, files.second_server.key_path, "").Add("0");
      certificate(files.server.cert_path, files.server.key_path, "").Add("2").Add("localhost").Add("*.x");
      break;
    case 5:
      certificate(files.server.cert_path, files.garbage_path, "").Add("0");
      break;
    default:
      certificate(files.server.cert_path, files.server.key_path, "").Add("0");
      break;
  }
  const uint8_t clients = options.tls >> 2 & 3;
  strings.Add("clientCertificates").Add(clients == 1 ? "ask" : clients == 2 ? "demand" : "none");
  strings.Add("caPath").Add(choice == 255 ? files.garbage_path : files.ca_path);
}

}  // namespace

std::string SocketPath() { return Certificates::Get().folder + "/socket"; }
std::string AbstractName() { return std::string(1, '\0') + "ohws-fuzz-" + std::to_string(getpid()); }

std::string ListenStrings(const Options& options) {
  StringListWriter strings;
  const auto option = [&strings](std::string_view name, std::string_view value) {
    strings.Add("listenOption").Add(name).Add(value);
  };
  const auto address = [&](std::string_view ip) {
    strings.Add("listen").Add("");
    option("ip", ip);
    option("port", "0");
    option("ipv6Only", "0");
    option("reusePort", (options.where & 64) != 0 ? "1" : "0");
    option("backlog", "64");
  };
  const auto path = [&](const std::string& name, std::string_view mode) {
    strings.Add("listen").Add("");
    option("path", name);
    option("backlog", "64");
    if (!mode.empty()) option("mode", mode);
  };
  address(options.listens_v6() ? "::" : "127.0.0.1");
  if (options.listens_on_file()) path(SocketPath(), "384");
  if (options.listens_abstract()) path(AbstractName(), "");
  if (options.bad_address()) address("no address");
  AddCommon(strings, options, options.limits >> 1);
  if (options.server_tls()) AddTls(strings, options, options.certificates());
  strings.Add("holds").Add((options.where & 32) != 0 ? "1" : "0");
  if ((options.where & 16) != 0) strings.Add("admissionName").Add("together");

  AddLimit(strings, "handshakes", (options.limits & 64) != 0 ? "2" : "1000");
  AddLimit(strings, "connections", (options.limits & 128) != 0 ? "2" : "Infinity");
  const bool by_minute = (options.rules & 2) != 0 && !options.netstack();
  AddLimit(strings, "connectionsPerMinute", by_minute ? "3" : "Infinity");
  strings.Add("maxClients").Add((options.rules & 4) != 0 ? "1" : "100");
  strings.Add("maxConnectionsPerClient").Add((options.rules & 8) != 0 ? "1" : "100");
  strings.Add("connectRateLimit").Add((options.rules & 2) != 0 ? "1" : "0");
  strings.Add("protocol").Add("chat");
  if ((options.rules & 16) != 0)
    strings.Add("allowedOrigins").Add("").Add("allowedOrigin").Add("http://*.example.com");
  if (!options.netstack()) {
    strings.Add("asksUpgrades").Add((options.rules & 32) != 0 ? "1" : "0");
    strings.Add("keepsHeaders").Add((options.rules & 64) != 0 ? "1" : "0");
    constexpr std::string_view kHeaders[] = {"", "x-forwarded-for", "forwarded", "proxy-protocol"};
    const uint8_t header = options.traffic >> 6;
    if (header != 0) {
      strings.Add("trustedProxy").Add("127.0.0.0/8").Add("trustedProxy").Add("::1");
      strings.Add("proxyHeader").Add(kHeaders[header]);
    }
  }
  constexpr std::string_view kPolicies[] = {"", "delay", "refuse", "close"};
  const uint8_t policy = options.traffic & 3;
  if (policy != 0) {
    AddLimit(strings, "messagesPerSecond", "4");
    AddLimit(strings, "bytesPerSecond", "2000");
    strings.Add("ratePolicy").Add(kPolicies[policy]);
    if ((options.traffic & 4) != 0) AddLimit(strings, "bytesPerSecondOfAddress", "1000");
  }
  if ((options.traffic & 8) != 0) AddLimit(strings, "idleTimeoutMs", "20000");
  if ((options.traffic & 16) != 0) {
    AddLimit(strings, "pingIntervalMs", "5000");
    AddLimit(strings, "pongTimeoutMs", "2000");
    AddLimit(strings, "pingJitterMs", (options.traffic & 32) != 0 ? "1000" : "0");
  }
  return std::string(strings.bytes());
}

std::string TlsStrings(const Options& options, uint8_t choice) {
  StringListWriter strings;
  AddTls(strings, options, choice);
  return std::string(strings.bytes());
}

std::string ConnectStrings(const Options& options, uint8_t bits, uint8_t tls_bits, const PeerPorts& ports) {
  const Certificates& files = Certificates::Get();
  StringListWriter strings;
  const bool tls = (tls_bits & 1) != 0;
  const bool proxy = (bits & 64) != 0;
  const bool v6 = !tls && (tls_bits & 2) != 0;
  const std::string_view address = proxy ? "proxyAddress" : "address";
  // Nobody listens at the first one.
  if ((bits & 32) != 0) strings.Add(address).Add("127.0.0.2");
  const uint8_t nowhere = tls_bits & 0xfe;
  if (nowhere != 0xfe) strings.Add(address).Add(v6 ? "::1" : "127.0.0.1");
  const uint16_t port = tls && !proxy ? ports.tls : v6 ? ports.plain_v6 : ports.plain;
  strings.Add(proxy ? "proxyPort" : "port").Add(std::to_string(port));
  if (proxy) strings.Add("address").Add("127.0.0.1").Add("port").Add("80");
  if (proxy && (bits & 128) != 0) strings.Add("proxyUser").Add("me").Add("proxyPassword").Add("secret");
  constexpr std::string_view kTrust[] = {"verify", "skip", "lax", "laxSkip"};
  strings.Add("tls").Add(tls ? "1" : "0").Add("host").Add("localhost");
  strings.Add("serverName").Add(v6 ? "::1" : "localhost");
  strings.Add("path").Add("/chat").Add("origin").Add("http://localhost");
  strings.Add("trust").Add(kTrust[tls_bits >> 1 & 3]);
  if (tls) {
    const uint8_t ca = tls_bits >> 3 & 7;
    strings.Add("caPath").Add(ca == 0   ? ""
                              : ca == 1 ? files.other_ca_path
                              : ca == 2 ? files.garbage_path
                                        : files.ca_path);
    strings.Add("caAddsToSystem").Add(ca == 3 ? "1" : "0");
    if ((tls_bits & 64) != 0) {
      strings.Add("certPath").Add(files.client.cert_path);
      // That of another certificate.
      const bool wrong = ca == 4;
      strings.Add("keyPath").Add(wrong ? files.server.key_path : files.client.key_path);
      strings.Add("keyPassword").Add(wrong ? "wrong" : "");
    }
    if ((tls_bits & 128) != 0) strings.Add("minTlsVersion").Add("3");
  }
  if ((bits & 128) != 0) strings.Add("protocol").Add("chat");
  strings.Add("header").Add("X-Mine").Add("1");
  // More than fits into one write.
  if ((bits & 0x71) == 0x71) strings.Add("header").Add("X-Long").Add(std::string(200'000, 'x'));
  AddLimit(strings, "pingIntervalMs", "30000");
  AddLimit(strings, "pongTimeoutMs", (bits & 1) != 0 ? "0" : "10000");
  AddCommon(strings, options, bits);
  return std::string(strings.bytes());
}

}  // namespace ohws::fuzz
