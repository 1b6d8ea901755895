/** How large the tiles are; remembered in this browser. */
export type Density = 'large' | 'small';

const PLACE = 'vigil.density';

class Densities {
  chosen = $state<Density>(localStorage.getItem(PLACE) === 'small' ? 'small' : 'large');

  choose(density: Density): void {
    this.chosen = density;
    localStorage.setItem(PLACE, density);
  }
}

export const density = new Densities();
