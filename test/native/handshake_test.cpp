// Upgrade requests: what is demanded, in which order, and how a refusal reads on the wire; and what a client
// demands of the answer.
#include "protocol/handshake.h"

#include "check.h"

namespace ohws {
namespace {

using namespace std::string_view_literals;

UpgradeRequestView Good() {
  UpgradeRequestView request;
  request.method = "GET";
  request.http_version = "HTTP/1.1";
  request.host = "127.0.0.1:8080";
  request.upgrade = "websocket";
  request.connection = "Upgrade";
  request.version = "13";
  request.key = "dGhlIHNhbXBsZSBub25jZQ==";
  return request;
}

UpgradeRefusal With(std::string_view UpgradeRequestView::*part, std::string_view value) {
  UpgradeRequestView request = Good();
  request.*part = value;
  return CheckUpgradeRequest(request);
}

TEST(tokens) {
  CHECK(IsToken("GET"));
  CHECK(IsToken("x!#$%&'*+-.^_`|~09AZ"));
  CHECK(!IsToken(""));
  for (const char c : "()<>@,;:\\\"/[]?={} \t\r\n\x7f\x80\xff"sv) CHECK(!IsToken(std::string("a") + c));
  CHECK(!IsToken("a\0b"sv));
}

TEST(field_values) {
  CHECK(IsFieldValue(""));
  CHECK(IsFieldValue("a b\tc \x80\xff ~"));
  for (int c = 0; c < 256; ++c) {
    const bool legal = c == '\t' || (c >= 0x20 && c != 0x7f);
    CHECK_EQ(IsFieldValue(std::string(1, static_cast<char>(c))), legal);
  }
  CHECK(!IsFieldValue("a\r\nX-Injected: 1"));
}

TEST(keys) {
  CHECK(IsWebSocketKey("dGhlIHNhbXBsZSBub25jZQ=="));
  CHECK(IsWebSocketKey("++++////++++////++++//=="));
  CHECK(!IsWebSocketKey(""));
  CHECK(!IsWebSocketKey("dGhlIHNhbXBsZSBub25jZ=="));
  CHECK(!IsWebSocketKey("dGhlIHNhbXBsZSBub25jZQQ=="));
  CHECK(!IsWebSocketKey("dGhlIHNhbXBsZSBub25jZQQ="));
  CHECK(!IsWebSocketKey("dGhlIHNhbXBsZSBub25jZQQQ"));
  CHECK(!IsWebSocketKey("dGhlIHNhbXBsZSBub25j-Q=="));
  CHECK(!IsWebSocketKey("dGhlIHNhbXBsZSBub2=jZQ=="));
  CHECK(!IsWebSocketKey("dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="));
}

TEST(tokens_in_lists) {
  CHECK(ListContainsToken("Upgrade", "upgrade"));
  CHECK(ListContainsToken("keep-alive, UPGRADE", "upgrade"));
  CHECK(ListContainsToken("keep-alive ,\tupgrade\t, x", "upgrade"));
  CHECK(ListContainsToken(",,upgrade,", "upgrade"));
  CHECK(!ListContainsToken("", "upgrade"));
  CHECK(!ListContainsToken(" , ", "upgrade"));
  CHECK(!ListContainsToken("upgraded", "upgrade"));
  CHECK(!ListContainsToken("up grade", "upgrade"));
  CHECK(!ListContainsToken("upgrade;x", "upgrade"));
}

TEST(a_good_request) {
  CHECK_EQ(CheckUpgradeRequest(Good()), UpgradeRefusal::kNone);
  CHECK_EQ(With(&UpgradeRequestView::http_version, "HTTP/1.2"), UpgradeRefusal::kNone);
  CHECK_EQ(With(&UpgradeRequestView::upgrade, "h2c, WebSocket"), UpgradeRefusal::kNone);
  CHECK_EQ(With(&UpgradeRequestView::connection, "keep-alive, Upgrade"), UpgradeRefusal::kNone);
  CHECK_EQ(With(&UpgradeRequestView::version, " 13 "), UpgradeRefusal::kNone);
  CHECK_EQ(With(&UpgradeRequestView::host, "[::1]:80"), UpgradeRefusal::kNone);
  CHECK_EQ(With(&UpgradeRequestView::subprotocols, "chat, superchat"), UpgradeRefusal::kNone);
}

TEST(each_demand) {
  for (const auto method : {"", "POST", "get", "HEAD", "CONNECT"}) {
    CHECK_EQ(With(&UpgradeRequestView::method, method), UpgradeRefusal::kMethod);
  }
  for (const auto version :
       {"", "HTTP/1.0", "HTTP/0.9", "HTTP/2", "HTTP/2.0", "http/1.1", "HTTP/1.", "HTTP/1.10"}) {
    CHECK_EQ(With(&UpgradeRequestView::http_version, version), UpgradeRefusal::kHttpVersion);
  }
  for (const auto host : {"", "a, b", "a,b", "a b", "a\nb"}) {
    CHECK_EQ(With(&UpgradeRequestView::host, host), UpgradeRefusal::kHost);
  }
  for (const auto upgrade : {"", "h2c", "websockets", "websocket/13"}) {
    CHECK_EQ(With(&UpgradeRequestView::upgrade, upgrade), UpgradeRefusal::kUpgradeHeader);
  }
  for (const auto connection : {"", "close", "keep-alive"}) {
    CHECK_EQ(With(&UpgradeRequestView::connection, connection), UpgradeRefusal::kConnectionHeader);
  }
  for (const auto version :
       {"", "8", "12", "14", "113", "13, 13", "13, 8", "+13"}) {  // server-handshake-strict-01-d
    CHECK_EQ(With(&UpgradeRequestView::version, version), UpgradeRefusal::kVersion);
  }
  for (const auto key : {"", "short", "dGhlIHNhbXBsZSBub25jZQ"}) {
    CHECK_EQ(With(&UpgradeRequestView::key, key), UpgradeRefusal::kKey);
  }
  for (const auto list : {",", "a,,b", "a b", "a, \"b\"", ", a"}) {
    CHECK_EQ(With(&UpgradeRequestView::subprotocols, list), UpgradeRefusal::kSubprotocols);
  }
  CHECK_EQ(With(&UpgradeRequestView::content_length, "0"), UpgradeRefusal::kNone);
  CHECK_EQ(With(&UpgradeRequestView::content_length, "1"), UpgradeRefusal::kBody);
  CHECK_EQ(With(&UpgradeRequestView::content_length, "0, 0"), UpgradeRefusal::kBody);
  CHECK_EQ(With(&UpgradeRequestView::transfer_encoding, "chunked"), UpgradeRefusal::kBody);
}

TEST(the_first_demand_that_fails_is_told) {
  UpgradeRequestView request;  // a plain HTTP request: server-handshake-http-01-d
  CHECK_EQ(CheckUpgradeRequest(request), UpgradeRefusal::kUpgradeHeader);
  request.upgrade = "websocket";
  CHECK_EQ(CheckUpgradeRequest(request), UpgradeRefusal::kMethod);
  request.method = "GET";
  CHECK_EQ(CheckUpgradeRequest(request), UpgradeRefusal::kHttpVersion);
  request.http_version = "HTTP/1.1";
  CHECK_EQ(CheckUpgradeRequest(request), UpgradeRefusal::kHost);
  request.host = "h";
  CHECK_EQ(CheckUpgradeRequest(request), UpgradeRefusal::kConnectionHeader);
}

TEST(answers) {
  CHECK_EQ(BuildHttpRefusal(UpgradeRefusal::kMethod),
           "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nConnection: close\r\n"
           "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 39\r\n\r\n"
           "a WebSocket handshake is a GET request\n");
  CHECK_EQ(
      BuildHttpRefusal(UpgradeRefusal::kVersion),
      "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Connection: Upgrade, close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 32\r\n\r\n"
      "the WebSocket version is not 13\n");
  CHECK_EQ(AnswerFor(UpgradeRefusal::kHttpVersion).status, 505);
  CHECK_EQ(AnswerFor(UpgradeRefusal::kHost).status, 400);
  CHECK_EQ(AnswerFor(UpgradeRefusal::kUpgradeHeader).status, 426);
  CHECK_EQ(AnswerFor(UpgradeRefusal::kConnectionHeader).status, 400);
  CHECK_EQ(AnswerFor(UpgradeRefusal::kKey).status, 400);
  CHECK_EQ(AnswerFor(UpgradeRefusal::kSubprotocols).status, 400);
}

TEST(an_answer_without_a_body_or_a_known_phrase) {
  CHECK_EQ(BuildHttpRefusal(503, {}, ""),
           "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  CHECK_EQ(BuildHttpRefusal(418, {}, ""), "HTTP/1.1 418 \r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

TEST(illegal_headers_do_not_reach_an_answer) {
  const HttpHeader headers[] = {{"Retry-After", "60"},
                                {"X-Split", "a\r\nX-Injected: 1"},
                                {"bad name", "x"},
                                {"", "x"},
                                {"Transfer-Encoding", "chunked"},
                                {"CONTENT-LENGTH", "99"}};
  CHECK_EQ(
      BuildHttpRefusal(429, headers, ""),
      "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

TEST(subprotocols) {
  const std::vector<std::string> supported = {"chat", "soap"};
  CHECK_EQ(SelectSubprotocol("other, chat", supported).value_or(""), "chat");  // server-handshake-proto-05
  CHECK_EQ(SelectSubprotocol("soap,chat", supported).value_or(""), "soap");    // the client's order
  CHECK_EQ(SelectSubprotocol("\tchat ", supported).value_or(""), "chat");
  CHECK(!SelectSubprotocol("Chat", supported).has_value());
  CHECK(!SelectSubprotocol("chatter, cha", supported).has_value());
  CHECK(!SelectSubprotocol("", supported).has_value());
  CHECK(!SelectSubprotocol("chat", {}).has_value());
  CHECK(!SelectSubprotocol(", ,", {""}).has_value());
}

constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

std::string_view AnswerWith(std::string_view UpgradeAnswerView::*part, std::string_view value,
                            std::string_view offered = "chat, soap") {
  UpgradeAnswerView answer{"websocket", "Upgrade", kAccept, ""};
  answer.*part = value;
  return FaultOfUpgradeAnswer(answer, kAccept, offered);
}

TEST(answers_to_an_upgrade) {
  using View = UpgradeAnswerView;
  CHECK_EQ(AnswerWith(&View::upgrade, "\t WebSocket \t"), "");
  CHECK_EQ(AnswerWith(&View::connection, "\tkeep-alive , UPGRADE\t"), "");
  CHECK_EQ(AnswerWith(&View::accept, "\t s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \t"), "");
  for (const std::string_view chosen : {"", " \t", "chat", "soap", "\tsoap "}) {
    CHECK_EQ(AnswerWith(&View::subprotocol, chosen), "");
  }
  for (const std::string_view upgrade :
       {"", " ", "websockets", "web socket", "websocket, h2c", "websocket,"}) {
    CHECK_EQ(AnswerWith(&View::upgrade, upgrade), "the server's Upgrade header does not say 'websocket'");
  }
  for (const std::string_view connection : {"", " ", "up", "upgrades", "keep upgrade", "close"}) {
    CHECK_EQ(AnswerWith(&View::connection, connection),
             "the server's Connection header does not say 'Upgrade'");
  }
  for (const std::string_view accept :
       {"", " ", "s3pplmbitxaq9kyGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=x",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo", "s3pPLMBi TxaQ9kYGzzhZRbK+xOo="}) {
    CHECK_EQ(AnswerWith(&View::accept, accept), "the server's Sec-WebSocket-Accept is wrong");
  }
  CHECK_EQ(AnswerWith(&View::accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=,s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
           "the server sent more than one Sec-WebSocket-Accept");
  CHECK_EQ(AnswerWith(&View::subprotocol, "chat,soap"), "the server chose more than one subprotocol");
  for (const std::string_view chosen : {"Chat", "cha", "chatter", "chat soap"}) {
    CHECK_EQ(AnswerWith(&View::subprotocol, chosen), "the server chose a subprotocol that was not asked for");
  }
  CHECK_EQ(AnswerWith(&View::subprotocol, "chat", ""),
           "the server chose a subprotocol that was not asked for");
}

}  // namespace
}  // namespace ohws
