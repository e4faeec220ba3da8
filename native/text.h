// Lists in text. Without streams, which would make the binary half as large again: it brings its
// own copy of the C++ library.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace nb {

// The parts of text between separators; none of an empty text.
inline std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace nb
