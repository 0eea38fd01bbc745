import { twice } from "./twice.js";
export const late = (value) => ["late", twice(value)];
