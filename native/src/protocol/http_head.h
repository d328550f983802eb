// The head of an HTTP/1 request as it comes in: collected up to its empty line and held to the letter of
// RFC 9112: CRLF line ends only, no folded lines, no blanks around names, no control characters. What breaks
// the grammar is refused at the byte or the line that does. How much may come is HeadMeter's. Engine thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/handshake.h"

namespace ohws {

class HttpHead {
 public:
  enum class Status : uint8_t {
    kMore,       // all bytes were taken, the head is not complete
    kComplete,   //
    kMalformed,  // no head of a request
  };

  struct Field {
    std::string name;   // in lower case
    std::string value;  // without the blanks around it
  };

  // Takes bytes up to the end of the head; `used` says how many. Not to be called again after anything but
  // kMore.
  Status Feed(std::string_view bytes, size_t& used);

  // After kComplete.
  const std::string& method() const { return method_; }
  const std::string& target() const { return target_; }
  const std::string& version() const { return version_; }
  const std::vector<Field>& fields() const { return fields_; }

  // The value of a header, the lines joined with commas if there are several; empty if there is none.
  std::string Value(std::string_view lowercase_name) const;

 private:
  bool TakeLine();
  bool TakeRequestLine();
  bool TakeField();

  bool in_line_end_ = false;  // the last byte was CR
  std::string line_;          // that is not complete
  std::string method_;        // empty: no line yet
  std::string target_;
  std::string version_;
  std::vector<Field> fields_;
};

// What is wrong with a complete head as an upgrade request.
UpgradeRefusal CheckUpgradeRequest(const HttpHead& head);

}  // namespace ohws
