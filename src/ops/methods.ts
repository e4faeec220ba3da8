/**
 * The computing methods of a tensor, which only forward to ops. They are no part of the class in
 * tensor/, which ops are made from; `autograd/attach.ts` adds them to it.
 */
import type { DType } from '../backend/dtype.js'
import { ActivationMethods } from './methods/activations.js'
import { ArithmeticMethods } from './methods/arithmetic.js'
import { ElementwiseMethods } from './methods/elementwise.js'
import { IndexingMethods } from './methods/indexing.js'
import { LayoutMethods } from './methods/layout.js'
import { MovingMethods } from './methods/moving.js'
import { OrderMethods } from './methods/order.js'
import { ProductMethods } from './methods/products.js'
import { ReduceMethods } from './methods/reduce.js'

/** The classes whose methods a tensor gets. */
export const methodClasses = [
  ArithmeticMethods,
  ElementwiseMethods,
  ActivationMethods,
  ReduceMethods,
  ProductMethods,
  LayoutMethods,
  IndexingMethods,
  MovingMethods,
  OrderMethods,
]

export interface TensorMethods<D extends DType>
  extends ArithmeticMethods<D>,
    ElementwiseMethods<D>,
    ActivationMethods,
    ReduceMethods<D>,
    ProductMethods,
    LayoutMethods<D>,
    IndexingMethods<D>,
    MovingMethods<D>,
    OrderMethods<D> {}
