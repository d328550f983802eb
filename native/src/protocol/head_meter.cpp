// Line by line, so that a head in one piece costs one search a line. Engine thread.
#include "protocol/head_meter.h"

namespace ohws {

HeadMeter::Verdict HeadMeter::Feed(std::string_view bytes) {
  while (!ended_ && !bytes.empty()) {
    const size_t end = bytes.find('\n');
    const bool whole = end != std::string_view::npos;
    const std::string_view line = bytes.substr(0, whole ? end : bytes.size());
    const size_t size = line.size() + (whole ? 1 : 0);
    if (!line.empty()) line_ = line_ == Line::kEmpty && line == "\r" ? Line::kReturn : Line::kText;
    bytes_ += size;
    if (bytes_ > max_bytes_) return Verdict::kTooManyBytes;
    bytes.remove_prefix(size);
    if (!whole) break;
    // An empty line in front of the first line is none of its end.
    ended_ = line_ != Line::kText && lines_ != 0;
    if (line_ == Line::kText) ++lines_;
    line_ = Line::kEmpty;
    if (lines_ > max_lines_ + 1) return Verdict::kTooManyLines;
  }
  return Verdict::kFits;
}

}  // namespace ohws
