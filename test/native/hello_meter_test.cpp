// Hellos at the limit and one beyond, in every split of bytes and of records.
#include "protocol/hello_meter.h"

#include "check.h"

namespace ohws {
namespace {

using Verdict = HelloMeter::Verdict;

constexpr char kCiphers = 20;
constexpr char kAlert = 21;
constexpr char kHandshake = 22;
constexpr char kData = 23;
constexpr char kClientHello = 1;
constexpr char kKeyExchange = 16;
constexpr size_t kMost = HelloMeter::kMostBytes;

std::string Record(char type, std::string_view content) {
  return std::string({type, 3, 1, static_cast<char>(content.size() >> 8), static_cast<char>(content.size())})
      .append(content);
}

std::string Header(char type, size_t announced) {
  return {type, static_cast<char>(announced >> 16), static_cast<char>(announced >> 8),
          static_cast<char>(announced)};
}

std::string Message(char type, size_t size) { return Header(type, size) + std::string(size, '\1'); }

Verdict Feed(std::string_view text, size_t piece = SIZE_MAX, bool may_ask_again = true) {
  HelloMeter meter;
  Verdict verdict = Verdict::kFits;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    const std::string_view some = text.substr(0, piece);
    verdict = meter.Feed({reinterpret_cast<const uint8_t*>(some.data()), some.size()}, may_ask_again);
  }
  return verdict;
}

TEST(limit_in_every_split) {
  const std::string fits = Record(kHandshake, Header(kClientHello, kMost));
  const std::string beyond = Record(kHandshake, Header(kClientHello, kMost + 1));
  const std::string most = Record(kHandshake, Header(kClientHello, 0xffffff));
  for (size_t piece = 1; piece <= beyond.size(); ++piece) {
    CHECK_EQ(Feed(fits, piece), Verdict::kFits);
    CHECK_EQ(Feed(beyond.substr(0, beyond.size() - 1), piece), Verdict::kFits);
    CHECK_EQ(Feed(beyond, piece), Verdict::kTooLarge);
    CHECK_EQ(Feed(most, piece), Verdict::kTooLarge);
    CHECK_EQ(Feed(beyond + fits, piece), Verdict::kTooLarge);
  }
}

TEST(records_of_one_byte_and_other_records_between) {
  std::string bytes = Record(kAlert, "\1\132");
  for (const char byte : Header(kClientHello, kMost + 1)) bytes += Record(kHandshake, {&byte, 1});
  CHECK_EQ(Feed(bytes), Verdict::kTooLarge);
  CHECK_EQ(Feed(bytes, 1), Verdict::kTooLarge);
}

TEST(a_hello_behind_another) {
  const std::string first = Record(kHandshake, Message(kClientHello, 500));
  const std::string second = Record(kHandshake, Header(kClientHello, kMost + 1));
  CHECK_EQ(Feed(first), Verdict::kFits);
  CHECK_EQ(Feed(first + second), Verdict::kTooLarge);
  CHECK_EQ(Feed(first + Record(kCiphers, "\1") + Record(kData, std::string(99, 'x')) + second, 3),
           Verdict::kTooLarge);
  // In the record of the first.
  CHECK_EQ(Feed(Record(kHandshake, Message(kClientHello, 500) + Header(kClientHello, kMost + 1)), 7),
           Verdict::kTooLarge);
}

TEST(a_hello_in_many_records) {
  const std::string message = Message(kClientHello, kMost);
  std::string bytes;
  for (size_t at = 0; at < message.size(); at += 1000) bytes += Record(kHandshake, message.substr(at, 1000));
  CHECK_EQ(Feed(bytes), Verdict::kFits);
  CHECK_EQ(Feed(bytes + Record(kHandshake, Header(kClientHello, kMost + 1)), 17), Verdict::kTooLarge);
}

TEST(other_messages_have_limits_of_openssl) {
  CHECK_EQ(Feed(Record(kHandshake, Header(kKeyExchange, kMost + 1))), Verdict::kFits);
}

TEST(what_is_encrypted_is_no_hello) {
  const std::string hello = Record(kHandshake, Message(kClientHello, 500));
  const std::string looks_so = Record(kHandshake, Header(kClientHello, kMost + 1));
  CHECK_EQ(Feed(hello + Record(kCiphers, "\1") + looks_so, SIZE_MAX, false), Verdict::kOver);
  CHECK_EQ(Feed(hello + looks_so, SIZE_MAX, false), Verdict::kTooLarge);
}

TEST(a_hello_of_ssl_2_is_one_record) {
  CHECK_EQ(Feed("\x80\x2e\x01\x03\x01" + Record(kHandshake, Header(kClientHello, kMost + 1))),
           Verdict::kOver);
}

}  // namespace
}  // namespace ohws
