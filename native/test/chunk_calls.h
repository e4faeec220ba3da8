// The calls that chunks_test.cc makes of each kernel.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace {

// Extents and numbers by the kernel's parameters, buffers left out; several calls each.
using Calls = std::vector<std::vector<double>>;
// conv_test.cc has many more.
const std::string kConvExtents =
    " batch height width channels outHeight outWidth filters kernelHeight kernelWidth strideHeight "
    "strideWidth padTop padLeft dilationHeight dilationWidth groups";
const Calls kConvolutions{{33, 28, 28, 1, 24, 24, 6, 5, 5, 1, 1, 0, 0, 1, 1, 1},
                          {9, 17, 15, 33, 9, 8, 40, 3, 3, 2, 2, 1, 1, 1, 1, 1},
                          {1, 64, 50, 17, 64, 50, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1},
                          {5, 30, 31, 48, 28, 29, 48, 3, 3, 1, 1, 0, 0, 1, 1, 48},
                          {6, 20, 21, 24, 18, 17, 32, 2, 3, 1, 1, 0, 0, 2, 2, 4}};
const std::string kPoolExtents =
    " batch height width channels windowHeight windowWidth strideHeight strideWidth top left "
    "outHeight outWidth";
const Calls kPools{{9, 26, 25, 32, 2, 2, 2, 2, 0, 0, 13, 12},
                   {3, 33, 17, 31, 3, 3, 2, 1, 1, 1, 17, 17},
                   {64, 28, 28, 1, 2, 2, 2, 2, 0, 0, 14, 14}};
const Calls kAverages{{0, 9, 26, 25, 32, 2, 2, 2, 2, 0, 0, 13, 12},
                      {1, 3, 33, 17, 31, 3, 3, 2, 1, 1, 1, 17, 17}};
const std::map<std::string, Calls> kCalls{
    {"a b y n0 n1 n2 aMask bMask",
     {{1, 1, 100003, 7, 7},
      {1, 1, 100003, 7, 0},
      {37, 71, 51, 5, 7},
      {37, 71, 51, 3, 4},
      {1, 31, 4099, 2, 7},
      {70001, 3, 1, 2, 5}}},
    {"x y n", {{100003}, {17}}},
    {"x dy dx n", {{100003}}},
    {"x y n slope", {{100003, 0.25}}},
    {"x y n below", {{100003, 0.25}}},
    {"x dy dx n slope", {{100003, 0.25}}},
    {"x y n positive negative", {{100003, 1.5, 0.25}}},
    {"x dy dx n positive negative", {{100003, 1.5, 0.25}}},
    {"y dy dx n", {{100003}}},
    {"x bias y rows cols", {{1, 100003}, {601, 307}, {20011, 10}}},
    {"y dy dx dbias scratch rows cols", {{1, 100003}, {601, 307}, {20011, 10}}},
    {"x y n scale shift", {{100003, -2.5, 0.75}}},
    {"x y n low high", {{100003, 0.25, 0.5}}},
    {"condition a b y n", {{100003}}},
    {"y n value", {{100003, 1.5}}},
    {"x y outer repeat inner", {{301, 257, 1}, {11, 13, 701}, {3, 70001, 1}}},
    {"x y rows cols xOffset xStride yOffset yStride",
     {{1, 100003, 5, 0, 3, 0}, {301, 257, 7, 300, 2, 259}, {50021, 1, 0, 3, 0, 2}}},
    {"x y outer rows cols inner", {{1, 301, 257, 1}, {5, 33, 129, 3}, {257, 7, 31, 1}}},
    {"x y outer length inner",
     {{1, 100003, 1}, {601, 307, 1}, {50021, 3, 1}, {1, 307, 601}, {23, 31, 129}}},
    {"x y outer length inner scale",
     {{1, 100003, 1, 0.5}, {601, 307, 1, 1}, {50021, 3, 1, 1}, {1, 307, 601, 1}, {23, 31, 129, 1}}},
    {"x y outer length inner correction",
     {{1, 100003, 1, 1}, {601, 307, 1, 0}, {1, 307, 601, 1}, {23, 31, 129, 0}}},
    {"x dy dx outer length inner", {{1, 100003, 1}, {601, 307, 1}, {23, 31, 129}}},
    {"a b y transA transB n0 n1 n2 aMask bMask m n k",
     {{0, 0, 1, 1, 5, 7, 7, 60, 70, 90},
      {1, 0, 1, 1, 33, 7, 0, 40, 50, 30},
      {0, 1, 2, 1, 3, 1, 5, 33, 129, 65},
      {1, 1, 3, 7, 3, 5, 2, 17, 33, 20}}},
    {"x y rows cols", {{1, 100003}, {601, 307}, {20011, 10}, {257, 64}}},
    {"y dy dx rows cols", {{1, 100003}, {601, 307}, {20011, 10}, {257, 64}}},
    {"logits labels losses rows cols", {{601, 307}, {20011, 10}}},
    {"logits labels dlosses dlogits rows cols", {{601, 307}, {20011, 10}}},
    {"x indices y count cols sourceRows", {{301, 257, 7}, {50021, 1, 7}, {2, 37003, 7}}},
    {"x indices y count cols sourceRows scale", {{301, 257, 7, 0.5}, {2, 37003, 7, 0.5}}},
    {"x indices y outer length count inner each",
     {{1, 7, 301, 257, 0}, {31, 7, 257, 1, 1}, {3, 7, 5, 7001, 0}, {11, 7, 13, 701, 1}}},
    {"x y xOffset yOffset n0 n1 n2 n3 n4 n5 n6 n7 x0 x1 x2 x3 x4 x5 x6 x7 y0 y1 y2 y3 y4 y5 y6 y7",
     {{99999, 1, 1, 1, 1, 1, 1, 1, 1, 50000, 0, 0, 0, 0, 0, 0, 0, -2, 0, 0, 0, 0, 0, 0, 0, 3},
      {0, 7, 1, 1, 1, 1, 5, 31, 17, 29, 0, 0, 0, 0, 1, 5, 155, 2635, 0, 0, 0, 0, 15283, 493, 29, 1},
      {0, 0, 1, 1, 1, 1, 1, 1, 301, 257, 0, 0, 0, 0, 0, 0, 257, 1, 0, 0, 0, 0, 0, 0, 300, 1}}},
    {"x y outer rows cols diagonal upper", {{1, 301, 257, 5, 1}, {31, 7, 500, -2, 0}}},
    {"x indices keys outer length inner count descending",
     {{301, 257, 1, 257, 0}, {3, 1001, 20, 7, 1}, {1, 100003, 1, 100003, 0}}},
    {"x y outer length inner reverse", {{301, 257, 1, 0}, {2, 31, 1001, 1}}},
    {"x y dy dx outer length inner", {{301, 257, 1}, {2, 31, 1001}}},
    {"a b y outer rowsA rowsB cols", {{2, 301, 257, 3}, {1, 100, 300, 70}}},
    {"a b y dy da outer rowsA rowsB cols", {{2, 301, 257, 3}, {1, 100, 300, 700}}},
    {"weights y state scratch rows cols count replacement",
     {{601, 307, 3, 0}, {601, 307, 50, 1}, {7, 1001, 300, 1}}},
    {"labels y rows cols", {{20011, 10}, {601, 307}}},
    {"y state n low high", {{100003, -1, 2}}},
    {"y state n mean std", {{100003, 0.5, 2}}},
    {"y state n p", {{100003, 0.25}}},
    {"y state n", {{100003}}},
    {"p y state n", {{100003}}},
    {"x maps shifts y count height width", {{100, 28, 28}, {7, 33, 17}}},
    {"w limit rows cols", {{601, 307}, {3, 70001}}},
    {"w dw settings n", {{100003}}},
    {"w dw velocity settings n", {{100003}}},
    {"w dw mean square settings n", {{100003}}},
    {"w dw mean square largest settings n", {{100003}}},
    {"w dw square settings n", {{100003}}},
    {"w dw square velocity settings n", {{100003}}},
    {"w dw square mean settings n", {{100003}}},
    {"w dw square velocity mean settings n", {{100003}}},
    {"w dw sum settings n", {{100003}}},
    {"w dw square stepSquare settings n", {{100003}}},
    {"w dw mean settings n", {{100003}}},
    {"y x rate n", {{0.25, 100003}}},
    {"x mean variance runningMean runningVar scratch rows cols momentum correction",
     {{20011, 10, 0.1, 1}, {601, 307, 0.25, 0}, {100003, 1, 0.1, 1}}},
    {"x mean variance weight bias y rows cols epsilon", {{20011, 10, 1e-5}, {601, 307, 1e-3}}},
    {"dy x mean variance dweight dbias scratch rows cols epsilon",
     {{20011, 10, 1e-5}, {601, 307, 1e-3}, {100003, 1, 1e-5}}},
    {"dy x mean variance weight dweight dbias dx rows cols epsilon",
     {{20011, 10, 1e-5}, {601, 307, 1e-3}}},
    {"x weight bias y mean scale rows cols epsilon centered",
     {{20011, 10, 1e-5, 1}, {601, 307, 1e-5, 0}}},
    {"dy x weight mean scale dx rows cols centered", {{20011, 10, 1}, {601, 307, 0}}},
    {"dy x mean scale dweight dbias scratch rows cols", {{20011, 10}, {601, 307}}},
    {"x y places" + kPoolExtents, kPools},
    {"dy places dx" + kPoolExtents, kPools},
    {"x y countPadding" + kPoolExtents, kAverages},
    {"dy dx countPadding" + kPoolExtents, kAverages},
    {"x w y" + kConvExtents, kConvolutions},
    {"x w bias y" + kConvExtents, kConvolutions},
    {"dy w dx" + kConvExtents, kConvolutions},
    {"x dy dw scratch" + kConvExtents, kConvolutions},
    {"x w bias y places" + kConvExtents, kConvolutions},
    {"y dy places w dx" + kConvExtents, kConvolutions},
    {"x y dy places dw dbias scratch" + kConvExtents, kConvolutions},
};

// m, n, k. The first are those of the benchmark's networks, as its weight and input gradients too.
const std::vector<std::vector<size_t>> kProducts{
    {32, 128, 784},   {784, 128, 32},  {32, 784, 128},  {128, 128, 784}, {784, 128, 128},
    {1, 128, 784},    {784, 128, 1},   {1, 784, 128},   {128, 1, 784},   {128, 1024, 784},
    {784, 1024, 128}, {128, 1024, 10}, {64, 1000, 784}, {784, 1000, 64}, {64, 500, 1000},
    {500, 10, 64},    {512, 512, 512}, {33, 33, 10000}, {65, 65, 4000},  {33, 32, 9000},
    {97, 31, 5000},   {257, 129, 301}, {1, 1, 100000},  {2, 2, 200000},  {129, 65, 1000},
    {100, 100, 100},  {101, 100, 100}, {1000, 33, 250}, {95, 64, 2000},  {64, 96, 1300},
    {1024, 10, 512},  {1024, 512, 10}, {512, 10, 1024}, {256, 700, 100}, {333, 65, 11}};

}  // namespace
