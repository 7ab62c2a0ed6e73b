// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/certificate/form.hpp>
#include <cotter/certificate/names.hpp>
#include <cotter/certificate/view.hpp>
#include <cotter/values/bytes_view.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

// What must hold for every input there is. Tests run them over many inputs, fuzzers over more.
// Each function names the first property that is broken, or returns an empty text.
namespace cotter_test {

using cotter::bytes_view;

inline bool equal(bytes_view a, bytes_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

inline bool lies_within(bytes_view part, bytes_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// A second reader, for DER alone and written apart from der/: the size of the header at the start
/// of `in`, if it is DER and its content is there; else 0.
inline std::size_t strict_header(bytes_view in, std::size_t& content) {
  std::size_t at = 1;
  if (in.size() < 2) return 0;
  if (in[0] % 32 == 31) {
    std::size_t number = 0;
    do {
      if (at == in.size() || at == 5 || (at == 1 && in[at] == 0x80)) return 0;
      number = number * 128 + in[at] % 128;
    } while (in[at++] > 127);
    if (number < 31) return 0;
  }
  if (at == in.size()) return 0;
  content = in[at++];
  if (content == 0x81) {
    if (at == in.size() || in[at] < 128) return 0;
    content = in[at++];
  } else if (content == 0x82) {
    if (in.size() < at + 2 || in[at] == 0) return 0;
    content = in[at] * 256u + in[at + 1];
    at += 2;
  } else if (content > 127) {
    return 0;
  }
  return content <= in.size() - at ? at : 0;
}

/// True if `in` is a row of elements that are DER all the way down, headers only.
inline bool is_strict_row(bytes_view in, int depth = 0) {
  while (!in.empty()) {
    std::size_t content = 0;
    const std::size_t header = strict_header(in, content);
    if (header == 0 || in[0] == 0 || in[0] == 0x20 || depth > 64) return false;
    if ((in[0] & 0x20) != 0 && !is_strict_row(in.subspan(header, content), depth + 1)) return false;
    in = in.subspan(header + content);
  }
  return true;
}

/// Takes one element of this tag off the front of `in`; empty if it is not DER or not that.
inline bytes_view take_strict(bytes_view& in, std::uint8_t identifier, bytes_view& content) {
  std::size_t size = 0;
  const std::size_t header = strict_header(in, size);
  if (header == 0 || in[0] != identifier) return {};
  const bytes_view whole = in.first(header + size);
  content = in.subspan(header, size);
  in = in.subspan(header + size);
  return whole;
}

inline std::vector<std::uint8_t> written(const cotter::certificate_form& form) {
  std::vector<std::uint8_t> out;
  cotter::write_form(
      form, [&out](bytes_view piece) { out.insert(out.end(), piece.begin(), piece.end()); });
  return out;
}

/// Form C: the TBSCertificate is verbatim, the shell strict, the size as announced, nothing grows,
/// and form C of form C is itself.
inline std::string_view fault_in_form(bytes_view input) {
  const auto form = cotter::read_form(input);
  if (!form) {
    if (form.error().offset_bytes > input.size()) return "an error outside the input";
    if (!form->outer.empty() || !form->tbs.empty()) return "octets beside an error";
    if (cotter::form_size_bytes(*form) != 0 || !written(*form).empty()) return "a form of nothing";
    return "";
  }
  if (form->outer.data() != input.data() || form->outer.size() > input.size()) {
    return "the certificate is not a prefix of the input";
  }
  if (!lies_within(form->tbs, form->outer) || !lies_within(form->signature, form->outer) ||
      form->signature.empty() || form->tbs.empty()) {
    return "a part outside the certificate";
  }
  const std::vector<std::uint8_t> out = written(*form);
  if (out.size() != cotter::form_size_bytes(*form)) return "another size than announced";
  if (out.size() > form->outer.size()) return "form C is longer than its input";
  const bool unchanged = equal(out, form->outer);
  if (form->minimal_shell != unchanged) return "minimal_shell says otherwise";
  if (form->canonical != (unchanged && form->outer.size() == input.size())) {
    return "canonical says otherwise";
  }
  if (form->minimal_shell) {
    std::size_t calls = 0;
    bool same_octets = false;
    cotter::write_form(*form, [&](bytes_view piece) {
      ++calls;
      same_octets = piece.data() == input.data() && piece.size() == form->outer.size();
    });
    if (calls != 1 || !same_octets) return "a minimal shell was copied";
  }

  bytes_view rest = out;
  bytes_view content;
  if (take_strict(rest, 0x30, content).empty() || !rest.empty()) return "the shell is not strict";
  if (content.size() < form->tbs.size() || !equal(content.first(form->tbs.size()), form->tbs)) {
    return "TBSCertificate is not verbatim";
  }
  rest = content.subspan(form->tbs.size());
  if (take_strict(rest, 0x30, content).empty() || !is_strict_row(content)) {
    return "signatureAlgorithm is not strict";
  }
  if (take_strict(rest, 0x03, content).empty() || !rest.empty()) {
    return "signatureValue is not strict";
  }
  if (content.size() < 2 || content[0] != 0 || !equal(content.subspan(1), form->signature)) {
    return "the signature is another";
  }

  const auto again = cotter::read_form(out);
  if (!again) return "form C is not read";
  if (!again->canonical) return "form C is not canonical";
  if (!equal(written(*again), out)) return "form C of form C is another";
  return "";
}

/// The view: every field lies in TBSCertificate, in the order of RFC 5280; what is unlocated has no
/// octets and stays so.
inline std::string_view fault_in_view(bytes_view tbs) {
  using cotter::field;
  const cotter::certificate_view view = cotter::locate(tbs, 1000);
  const bytes_view octets[] = {view.serial, view.issuer, view.subject, view.spki, view.san};
  const field fields[] = {field::serial, field::issuer, field::subject, field::spki, field::san};
  const std::uint8_t* after = tbs.data();
  for (std::size_t i = 0; i < 5; ++i) {
    if (!lies_within(octets[i], tbs)) return "a field outside";
    if (!view.located(fields[i]) && !octets[i].empty()) return "octets of an unlocated field";
    if (view.located(fields[i]) && octets[i].empty() && fields[i] != field::san) {
      return "a located field without octets";
    }
    if (octets[i].empty()) continue;
    if (octets[i].data() < after) return "fields out of order";
    after = octets[i].data() + octets[i].size();
  }
  bool hidden = false;
  for (const field each : cotter::all_fields) {
    const cotter::error& problem = view.problem(each);
    if (hidden && view.located(each)) return "a field behind one that could not be passed";
    hidden = hidden || (!view.located(each) && each != field::validity);
    if (view.located(each)) continue;
    if (problem.offset_bytes < 1000 || problem.offset_bytes > 1000 + tbs.size()) {
      return "a problem outside";
    }
  }
  if (!view.located(field::validity)) {
    for (const cotter::instant at : {cotter::instant::min(), cotter::instant{},
                                     cotter::instant::max(), view.not_before, view.not_after}) {
      if (cotter::is_valid_at(view, at)) return "valid without a validity";
    }
  }
  if (view.version > 3) return "a version that does not exist";
  return "";
}

}  // namespace cotter_test
